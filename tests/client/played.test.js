// SPDX-License-Identifier: MIT
// The client against a server that is played: refusals, tokens, codes that a wsfand says only when it must.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { FormAnalyticsWebSocket } from '../../statsd/web/form-analytics.js';
import { Client, play } from './socket.js';
import { FORM, until, watch } from './support.js';

async function playing(t, onRequest, onClient) {
	const server = await play(onRequest, onClient);
	t.after(() => server.stop());
	return server;
}

function watching(t, ...rest) {
	const seen = watch(...rest);
	t.after(() => seen.client.close());
	return seen;
}

function token(secondsLeft, name = '') {
	const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
	return `${part({ alg: 'HS256' })}.${part({ exp: Date.now() / 1000 + secondsLeft, name })}.c2ln`;
}

test('what it is given is checked', () => {
	assert.throws(() => new FormAnalyticsWebSocket('nope', { url: 'ws://x', WebSocket: Client }), TypeError);
	assert.throws(() => new FormAnalyticsWebSocket(FORM, { WebSocket: Client }), /url/);
	assert.throws(() => new FormAnalyticsWebSocket(FORM, { url: 'ws://x', WebSocket: null }), /WebSocket/);
});

test('handlers of a subclass, a prefix, http for ws', async (t) => {
	let path = '';
	const server = await playing(t, (request) => { path = request.url; }, (end) =>
		end.send(JSON.stringify({ type: 'analytics:update', formId: FORM, data: { totalResponses: 1, byField: {} } })));
	const got = [];
	class Mine extends FormAnalyticsWebSocket {
		onAnalyticsUpdate(data) {
			got.push(data.totalResponses);
		}
	}
	const client = new Mine(FORM.toUpperCase(), { url: server.url.replace('ws', 'http') + '/dune/', WebSocket: Client });
	t.after(() => client.close());
	await until('a message', () => got.length === 1);
	assert.equal(path, `/dune/ws/forms/${FORM}`);
});

test('close() is the end, and connect() a new beginning', async (t) => {
	let count = 0;
	const server = await playing(t, () => { count++; });
	const seen = watching(t, server.url, { autoConnect: false });
	await new Promise((resolve) => setTimeout(resolve, 50));
	assert.equal(count, 0);
	seen.client.connect();
	await until('live', () => seen.client.state === 'live');
	seen.client.close();
	await new Promise((resolve) => setTimeout(resolve, 300));
	assert.equal(count, 1);
	assert.equal(seen.client.state, 'closed');
	seen.client.connect();
	await until('live', () => seen.client.state === 'live');
	assert.equal(count, 2);
});

test('retries: the first is quick, then they grow, with jitter, and are bounded', async (t) => {
	const server = await playing(t, () => ({ status: 500 }));
	const waits = [];
	for (let i = 0; i < 8; i++) {
		const seen = watching(t, server.url);
		await until('eight attempts', () => seen.count('waiting') >= 6);
		seen.client.close();
		waits.push(seen.states.filter((s) => s.state === 'waiting').map((s) => s.retryInMs));
	}
	for (const row of waits) {
		assert.ok(row[0] <= 40, `first retry after ${row[0]} ms`);
		assert.ok(row[1] >= 30 && row[1] <= 60, `second after ${row[1]} ms`);
		assert.ok(row.every((ms) => ms <= 200));
		assert.ok(row[4] >= 100);
	}
	assert.ok(new Set(waits.map((row) => row[4])).size > 1, 'all wait alike');
});

test('4xx: no use in trying again; 429: when it says', async (t) => {
	let status = 404;
	const server = await playing(t, () => status && { status, headers: { 'Retry-After': '1' } });
	const lost = watching(t, server.url);
	await until('refused', () => lost.client.state === 'refused');
	assert.equal(lost.states.at(-1).code, 404);
	status = 429;
	const early = watching(t, server.url);
	await until('waiting', () => early.client.state === 'waiting');
	assert.ok(early.states.at(-1).retryInMs >= 1000);
	status = 0;
	await until('live', () => early.client.state === 'live');
	lost.client.connect();
	await until('live', () => lost.client.state === 'live');
});

test('1013 comes back a little later than a cut', async (t) => {
	const server = await playing(t, () => {}, (end) => end.close(1013, 'too slow'));
	const seen = watching(t, server.url, { backoffMs: 400, maxBackoffMs: 1000 });
	await until('waiting', () => seen.client.state === 'waiting');
	assert.ok(seen.states.at(-1).retryInMs >= 200);
	assert.equal(seen.states.at(-1).code, 1013);
});

test('1008: only with another token', async (t) => {
	const taken = [];
	const server = await playing(t, (request) => { taken.push(request.headers['sec-websocket-protocol']); },
		(end) => end.close(1008, 'token expired'));
	const seen = watching(t, server.url, { token: 'a.b.c' });
	await until('refused', () => seen.client.state === 'refused');
	assert.equal(seen.states.at(-1).reason, 'token expired');
	await new Promise((resolve) => setTimeout(resolve, 200));
	assert.deepEqual(taken, ['bearer, a.b.c']);
	let given = 0;
	seen.client.setToken(() => `a.b.${Math.min(++given, 2)}`);
	await until('a second, and no third', () => given >= 3 && seen.client.state === 'refused');
	assert.deepEqual(taken, ['bearer, a.b.c', 'bearer, a.b.1', 'bearer, a.b.2']);
	assert.ok(seen.errors.every((error) => error.code === 'REFUSED'));
});

test('401: the function is asked again', async (t) => {
	const good = token(3600);
	const server = await playing(t, (request) =>
		request.headers['sec-websocket-protocol'] === `bearer, ${good}` ? undefined : { status: 401 });
	let asked = 0;
	const seen = watching(t, server.url, { token: async () => (++asked === 1 ? token(-10) : good) });
	await until('live', () => seen.client.state === 'live');
	assert.equal(asked, 2);
	const stranger = watching(t, server.url);
	await until('refused', () => stranger.client.state === 'refused');
	assert.equal(stranger.states.at(-1).code, 401);
});

test('a token is renewed before it expires', async (t) => {
	const auths = [];
	const server = await playing(t, () => {}, (end) => end.on('text', (text) => auths.push(JSON.parse(text))));
	let n = 0;
	const given = [];
	const seen = watching(t, server.url, { token: () => {
		given.push(token(1, n++));
		return given.at(-1);
	} });
	await until('two renewals', () => auths.length >= 2);
	assert.deepEqual(auths.slice(0, 2), [{ type: 'auth', token: given[1] }, { type: 'auth', token: given[2] }]);
	assert.equal(seen.count('waiting'), 0);
});

test('no token to be had: told, and tried again', async (t) => {
	const server = await playing(t, () => {});
	let fails = 2;
	const seen = watching(t, server.url, { token: () => {
		if (fails-- > 0)
			throw new Error('away');
		return 'a.b.c';
	} });
	await until('live', () => seen.client.state === 'live');
	assert.deepEqual(seen.errors.map((error) => error.code), ['TOKEN_UNAVAILABLE', 'TOKEN_UNAVAILABLE']);
});

test('where a failed handshake tells nothing, checkUrl does', async (t) => {
	// A browser's socket: no unexpected-response.
	class Mute extends Client {
		on = undefined;
		emit() {
			return false;
		}
	}
	const server = await playing(t, () => ({ status: 401 }));
	const asked = [];
	const seen = watching(t, server.url, { WebSocket: Mute, token: 'a.b.c', checkUrl: '/api/forms/x',
		async fetch(url, options) {
			assert.equal(this, undefined, 'browsers refuse to run it as a method');
			asked.push([url, options.headers.Authorization]);
			return { status: 403, headers: new Map() };
		} });
	await until('refused', () => seen.client.state === 'refused');
	assert.deepEqual(asked, [['/api/forms/x', 'Bearer a.b.c']]);
	assert.equal(seen.states.at(-1).code, 403);
});

const update = (n, second) => JSON.stringify({ type: 'analytics:update', formId: FORM, data: { totalResponses: n,
	byField: {}, updatedAt: new Date(Date.UTC(2026, 2, 1, 9, 30, second)).toISOString() } });

test('no older numbers after newer ones while a server catches up; what is no JSON harms nothing', async (t) => {
	const server = await playing(t, () => {}, (end) => {
		for (const text of [update(2, 2), '{', 'null', '[]', '"x"', update(1, 1), update(3, 2), update(4, 4)])
			end.send(text);
	});
	const seen = watching(t, server.url);
	await until('the last', () => seen.totals.at(-1) === 4);
	assert.deepEqual(seen.totals, [2, 3, 4]);
	assert.deepEqual(seen.errors.map((error) => error.code), ['BAD_MESSAGE']);
});

test('a clock that is set back: after a while its numbers are taken, and those behind them at once', async (t) => {
	let end;
	const server = await playing(t, () => {}, (one) => { end = one; });
	const seen = watching(t, server.url, { catchUpMs: 100 });
	await until('live', () => seen.client.state === 'live');
	end.send(update(1, 3600));
	await until('1', () => seen.totals.at(-1) === 1);
	end.send(update(2, 0));
	await until('2', () => seen.totals.at(-1) === 2);
	end.send(update(3, 1));
	await until('3', () => seen.totals.at(-1) === 3);
	end.send(update(4, 2));
	await until('4', () => seen.totals.at(-1) === 4);
	assert.deepEqual(seen.totals, [1, 2, 3, 4]);
	assert.equal(seen.client.last.analytics.totalResponses, 4);
	// One that catches up in time takes nothing back.
	const patient = watching(t, server.url, { catchUpMs: 3600000 });
	await until('live', () => patient.client.state === 'live');
	for (const [n, second] of [[1, 10], [2, 9], [3, 11], [4, 10], [5, 12]])
		end.send(update(n, second));
	await until('5', () => patient.totals.at(-1) === 5);
	assert.deepEqual(patient.totals, [1, 3, 5]);
});

test('a clock that is set back, and a line that breaks again and again', async (t) => {
	let second = 3600;
	const server = await playing(t, () => {}, (end) => {
		end.send(update(second, second));
		setTimeout(() => end.close(1001, ''), 20);
	});
	const seen = watching(t, server.url, { catchUpMs: 200, stableMs: 1 });
	await until('an hour', () => seen.totals.at(-1) === 3600);
	second = 1;
	await until('the hour before', () => seen.totals.at(-1) === 1);
	assert.ok(seen.count('live') > 2);
});

test('maxRetries gives up', async (t) => {
	const server = await playing(t, () => ({ status: 500 }));
	const seen = watching(t, server.url, { maxRetries: 2 });
	await until('gave up', () => seen.client.state === 'refused');
	assert.equal(seen.errors.at(-1).code, 'GAVE_UP');
	assert.equal(seen.count('connecting'), 3);
});

test('a server that accepts and says nothing; a token that never comes', async (t) => {
	const server = net.createServer((socket) => t.after(() => socket.destroy()));
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.after(() => server.close());
	const url = `ws://127.0.0.1:${server.address().port}`;
	const silent = watching(t, url, { connectTimeoutMs: 50 });
	await until('several attempts', () => silent.count('waiting') >= 3);
	assert.ok(silent.errors.every((error) => error.code === 'TIMEOUT'));
	const tokenless = watching(t, url, { connectTimeoutMs: 50, token: () => new Promise(() => {}) });
	await until('several attempts', () => tokenless.count('waiting') >= 3);
	assert.ok(tokenless.errors.every((error) => error.code === 'TOKEN_UNAVAILABLE'));
});

test('what a handler throws harms nobody else', async (t) => {
	const server = await playing(t, () => {}, (end) => end.send(JSON.stringify({ type: 'analytics:update', formId: FORM,
		data: { totalResponses: 1, byField: {} } })));
	const { error } = console;
	t.after(() => { console.error = error; });
	const told = [];
	console.error = (thrown) => told.push(thrown.message);
	const seen = watching(t, server.url, { autoConnect: false });
	const got = [];
	seen.client.onAnalyticsUpdate = () => { throw new Error('mine'); };
	const off = seen.client.on('analytics', () => got.push('first'));
	seen.client.on('analytics', () => got.push('second'));
	off();
	seen.client.connect();
	await until('the other', () => got.length === 1);
	assert.deepEqual([told, got, seen.client.state], [['mine'], ['second'], 'live']);
	assert.throws(() => seen.client.on('nothing', () => {}), TypeError);
	seen.client.close();
	assert.equal(seen.client.refresh(), false);
});

test('online again: what waits tries now, what is dead without a word is found out', async (t) => {
	let answers = false;
	const server = await playing(t, () => (answers ? undefined : { status: 500 }), (end) => end.on('text', () => {}));
	const seen = watching(t, server.url, { firstRetryMs: 3600000, pongTimeoutMs: 50 });
	await until('waiting', () => seen.client.state === 'waiting');
	answers = true;
	const target = new EventTarget();
	t.after(() => { delete globalThis.addEventListener; delete globalThis.removeEventListener; });
	globalThis.addEventListener = target.addEventListener.bind(target);
	globalThis.removeEventListener = target.removeEventListener.bind(target);
	seen.client.close();
	seen.client.connect();
	await until('live', () => seen.client.state === 'live');
	// The played server never answers a ping.
	target.dispatchEvent(new Event('online'));
	await until('dead', () => seen.errors.at(-1)?.code === 'DEAD_LINE' && seen.client.state === 'waiting');
	target.dispatchEvent(new Event('online'));
	await until('live again', () => seen.client.state === 'live');
});

test('a hidden page does not come back until somebody looks', async (t) => {
	let asked = 0;
	const server = await playing(t, () => { asked++; return { status: 500 }; });
	const page = Object.assign(new EventTarget(), { hidden: true });
	const seen = watching(t, server.url, { document: page });
	await until('paused', () => seen.client.state === 'paused');
	assert.equal(asked, 1);
	page.hidden = false;
	page.dispatchEvent(new Event('visibilitychange'));
	await until('it tries', () => asked >= 3);
});
