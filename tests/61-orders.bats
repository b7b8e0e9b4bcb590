#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Whoever comes first: the daemons started in each of the 24 orders reach the same result.

load helper

ORDERS="
iaws iasw iwas iwsa isaw iswa
aiws aisw awis awsi asiw aswi
wias wisa wais wasi wsia wsai
siaw siwa saiw sawi swia swai"

program_of() {
	case $1 in
	i) echo ingestd ;;
	a) echo analyticsd ;;
	w) echo wsfand ;;
	s) echo statsd ;;
	esac
}

# launch_in ORDER: four daemons with directories of their own, each a moment behind the one before.
launch_in() {
	local order=$1 i
	mkdir -p "$T/$order/run" "$T/$order/state"
	for i in 0 1 2 3; do
		launch_daemon "$(program_of "${order:$i:1}"):$order" DUNE_RUN_DIR="$T/$order/run" \
			DUNE_STATE_DIR="$T/$order/state" DUNE_SOURCE="file:$T/feed.jsonl"
		pause 0.03
	done
}

@test "all 24 orders" {
	new_seed
	generate --seed "$SEED" --forms 3 --responses 120 >"$T/feed.jsonl"
	local row order name
	for row in $(sed 's/ /,/g' <<<"$ORDERS"); do
		for order in ${row//,/ }; do launch_in "$order"; done
		for order in ${row//,/ }; do
			for name in statsd wsfand analyticsd ingestd; do
				READY_WITHIN=20 await_ready "$name:$order"
			done
			echo "order $order"
			WS_PORT=$(listen_port "wsfand:$order") numbers_match "$T/feed.jsonl"
		done
		for order in ${row//,/ }; do
			wait_until 10 http_is "$(listen_port "wsfand:$order")" /readyz 200
			for name in statsd wsfand analyticsd ingestd; do stop_daemon "$name:$order"; done
		done
	done
}
