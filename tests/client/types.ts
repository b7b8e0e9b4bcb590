// SPDX-License-Identifier: MIT
// What the types of the package let one write, and what they do not. It is compiled (55-client.bats) and never run.
import Default, { FormAnalyticsError, FormAnalyticsWebSocket } from 'dune-form-analytics';
import type { AnalyticsUpdate, FieldAnalytics, MetricsUpdate, Options, State, StateChange } from 'dune-form-analytics';

const options: Options = { url: 'wss://live.example.com', token: async () => 'a.b.c', WebSocket, document: null, catchUpMs: 1000 };
const live = new FormAnalyticsWebSocket('60f7b1b9e1234567890abcde', options);
live.onAnalyticsUpdate = (data: AnalyticsUpdate) => {
	const field: FieldAnalytics | undefined = data.byField['stars'];
	const counts: Record<string, number> = field?.distribution ?? {};
	console.log(data.totalResponses, field?.count, field?.average?.toFixed(2), counts['5'], data.stale ? 'from before' : '');
};
live.onMetricsUpdate = ({ responsesToday, lastSubmission }: MetricsUpdate) => console.log(responsesToday, lastSubmission?.length);
live.onError = (error: FormAnalyticsError) => console.warn(error.code, error.message, error.status);
const off: () => void = live.on('state', (change: StateChange) => console.log(change.state, change.retryAt));
live.on('status', (status) => console.log(status.activeConnections, status.clientId));
live.on('message', ({ type, data }) => console.log(type, data));
off();
const state: State = live.state;
const total: number | undefined = live.last.analytics?.totalResponses;
const sent: boolean = live.refresh();
live.setToken('d.e.f');
live.connect();
live.disconnect();
console.log(state, total, sent);

class Mine extends Default {
	override onAnalyticsUpdate(data: AnalyticsUpdate) {
		console.log(data.updatedAt);
	}
}
new Mine('60f7b1b9e1234567890abcde').close();

// @ts-expect-error no such event
live.on('nothing', () => {});
// @ts-expect-error no such option
new FormAnalyticsWebSocket('60f7b1b9e1234567890abcde', { retries: 3 });
// @ts-expect-error an id is a string
new FormAnalyticsWebSocket(60);
// @ts-expect-error it is set by the class alone
live.state = 'live';
