// SPDX-License-Identifier: MIT
// The client with each WebSocket that there is: the least one of these tests, Node's own (from 22 on, with
// --experimental-websocket from 20.10 on) and Debian's ws. DUNE_TEST_KIND names the one that must be there.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { Client } from './socket.js';
import { SECRET, Wsfand, signed, until, watch } from './support.js';

function find(load) {
	try {
		return load();
	} catch {
		return undefined;
	}
}

const require = createRequire(import.meta.url);
const KINDS = { least: Client, global: globalThis.WebSocket, ws: find(() => require('/usr/share/nodejs/ws')) };

for (const [kind, Kind] of Object.entries(KINDS)) {
	const skip = typeof Kind !== 'function' && process.env.DUNE_TEST_KIND !== kind ? `no ${kind} here` : false;
	test(`${kind}: tokens, a drain, a death, a restart, the newest numbers`, { skip }, async (t) => {
		assert.equal(typeof Kind, 'function');
		const wsfand = new Wsfand({ DUNE_JWT_SECRET: SECRET });
		t.after(() => wsfand.stop());
		await wsfand.start();
		const given = [];
		const seen = watch(wsfand.url, { WebSocket: Kind, pingMs: 100, pongTimeoutMs: 1000, token: () => {
			given.push(signed(3600));
			return given.at(-1);
		} });
		t.after(() => seen.client.close());
		let pongs = 0;
		seen.client.on('message', (message) => { pongs += message.type === 'pong'; });
		await until('live', () => seen.client.state === 'live');
		await wsfand.total(7);
		await until('7', () => seen.totals.at(-1) === 7);
		await until('pongs', () => pongs >= 2);
		const over = wsfand.end('SIGTERM');
		await until('it noticed the drain', () => seen.states.some((change) => change.code === 1001));
		await over;
		await wsfand.start();
		await until('live again', () => seen.count('live') === 2);
		await wsfand.end('SIGKILL');
		await until('it noticed the death', () => seen.states.at(-1).attempt >= 2);
		await wsfand.start();
		await until('live a third time', () => seen.count('live') === 3);
		await wsfand.total(5);
		await wsfand.total(8);
		await until('8', () => seen.totals.at(-1) === 8);
		assert.deepEqual(seen.totals, [7, 8]);
		assert.ok(given.length >= 3);
		seen.client.setToken(signed(3600, { forms: [] }));
		await until('UNAUTHORIZED', () => seen.errors.some((error) => error.code === 'UNAUTHORIZED'));
	});
}
