// SPDX-License-Identifier: MIT
// The client against a real wsfand.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FORM, Line, SECRET, Wsfand, signed, until, watch } from './support.js';

async function withWsfand(t, settings) {
	const wsfand = new Wsfand(settings);
	t.after(() => wsfand.stop());
	await wsfand.start();
	return wsfand;
}

function watching(t, ...rest) {
	const seen = watch(...rest);
	t.after(() => seen.client.close());
	return seen;
}

test('the four messages reach their handlers', async (t) => {
	const wsfand = await withWsfand(t);
	const seen = watching(t, wsfand.url);
	const statuses = [];
	seen.client.on('status', (status) => statuses.push(status));
	await until('it is live', () => seen.client.state === 'live');
	await wsfand.send(['analytics:update', { totalResponses: 3, byField: {} }],
		['metrics:update', { responsesToday: 2 }], ['of:our:own', { x: 1 }]);
	await until('numbers', () => seen.totals.length > 0 && seen.metrics.length > 0);
	assert.deepEqual(seen.totals, [3]);
	assert.equal(seen.client.last.metrics.responsesToday, 2);
	await until('the status', () => statuses.length > 0);
	assert.match(statuses[0].clientId, /^[0-9a-f-]{36}$/);
	assert.deepEqual(seen.names(), ['connecting', 'live']);
	assert.ok(seen.client.refresh());
	await until('the snapshot again', () => seen.totals.length === 2);
});

test('a line that is cut twenty times: back each time, with the newest numbers', async (t) => {
	const wsfand = await withWsfand(t);
	const line = new Line(wsfand.port);
	await line.open();
	t.after(() => line.stop());
	const keeper = watching(t, wsfand.url); // the room, and so its last state, stays
	const seen = watching(t, line.url, { stableMs: 1 });
	for (let n = 1; n <= 20; n++) {
		await until('both are live', () => keeper.client.state === 'live' && seen.client.state === 'live');
		await wsfand.total(n);
		await until(`total ${n}`, () => seen.totals.at(-1) === n);
		line.cut();
		await until('it noticed', () => seen.count('waiting') === n);
	}
	await until('live', () => seen.client.state === 'live');
	assert.deepEqual([...seen.totals].sort((a, b) => a - b), seen.totals, 'never backwards');
	assert.equal(keeper.count('waiting'), 0);
});

test('a drain is a 1001, and a restart brings it back soon', async (t) => {
	const wsfand = await withWsfand(t);
	const seen = watching(t, wsfand.url);
	for (let n = 1; n <= 3; n++) {
		await until('live', () => seen.count('live') === n);
		const over = wsfand.end('SIGTERM');
		await until('it noticed', () => seen.states.some((s) => s.state === 'waiting' && s.code === 1001));
		await over;
		await wsfand.start();
	}
	await until('live again', () => seen.count('live') === 4 && seen.client.state === 'live');
});

test('killed and back', async (t) => {
	const wsfand = await withWsfand(t);
	const seen = watching(t, wsfand.url);
	await until('live', () => seen.client.state === 'live');
	await wsfand.total(7);
	await until('7', () => seen.totals.at(-1) === 7);
	await wsfand.end('SIGKILL');
	await until('several attempts', () => seen.states.at(-1).attempt >= 3);
	await wsfand.start();
	await until('live again', () => seen.client.state === 'live');
	// A pipeline that is behind sends what was shown before, and older.
	await wsfand.total(5);
	await wsfand.total(8);
	await until('8', () => seen.totals.at(-1) === 8);
	assert.deepEqual(seen.totals, [7, 8]);
});

test('a line that is dead without a word is noticed by its silence', async (t) => {
	const wsfand = await withWsfand(t);
	const line = new Line(wsfand.port);
	await line.open();
	t.after(() => line.stop());
	const seen = watching(t, line.url, { pingMs: 100, pongTimeoutMs: 200 });
	await until('live', () => seen.client.state === 'live');
	let pongs = 0;
	seen.client.on('message', (message) => { pongs += message.type === 'pong'; });
	await until('pings are answered', () => pongs >= 2);
	assert.equal(seen.count('waiting'), 0);
	line.dead = true;
	await until('it noticed', () => seen.errors.some((error) => error.code === 'DEAD_LINE'));
	line.dead = false;
	await until('live again', () => seen.client.state === 'live');
});

test('a server error is told, and the connection lives', async (t) => {
	const wsfand = await withWsfand(t);
	const seen = watching(t, wsfand.url, { pingMs: 0 });
	await until('live', () => seen.client.state === 'live');
	await wsfand.send(['error', { code: 'TEST', message: 'words', timestamp: 'now' }]);
	await until('the error', () => seen.errors.length > 0);
	assert.equal(seen.errors[0].code, 'TEST');
	assert.equal(seen.errors[0].message, 'words');
	assert.equal(seen.client.state, 'live');
});

test('full: 503 with Retry-After is obeyed', async (t) => {
	const wsfand = await withWsfand(t, { DUNE_MAX_CLIENTS: '1' });
	const first = watching(t, wsfand.url);
	await until('live', () => first.client.state === 'live');
	const second = watching(t, wsfand.url);
	await until('it waits', () => second.client.state === 'waiting');
	const change = second.states.at(-1);
	assert.equal(change.code, 503);
	assert.ok(change.retryInMs >= 1000, `only ${change.retryInMs} ms`);
	first.client.close();
	await until('its turn', () => second.client.state === 'live', 20000);
});

test('a hidden page lets go after a while, and catches up', async (t) => {
	const wsfand = await withWsfand(t);
	const keeper = watching(t, wsfand.url);
	const page = Object.assign(new EventTarget(), { hidden: false });
	const turn = (hidden) => {
		page.hidden = hidden;
		page.dispatchEvent(new Event('visibilitychange'));
	};
	const seen = watching(t, wsfand.url, { document: page, pauseAfterMs: 100 });
	await until('live', () => seen.client.state === 'live' && keeper.client.state === 'live');
	turn(true);
	turn(false);
	await wsfand.total(1);
	await until('1', () => seen.totals.at(-1) === 1);
	assert.equal(seen.count('paused'), 0);
	turn(true);
	await until('paused', () => seen.client.state === 'paused');
	await wsfand.total(2);
	await until('the other has it', () => keeper.totals.at(-1) === 2);
	assert.deepEqual(seen.totals.filter((n) => n === 2), []);
	turn(false);
	await until('2', () => seen.totals.at(-1) === 2);
});

const TOKENS = { DUNE_JWT_SECRET: SECRET };

test('a token that can be had anew: renewed over and over, the connection lives on', async (t) => {
	const wsfand = await withWsfand(t, TOKENS);
	const given = [];
	const seen = watching(t, wsfand.url, { token: () => {
		given.push(signed(2));
		return given.at(-1);
	} });
	// Each lives for 2 to 3 s: the fourth is asked for when the first has expired long ago.
	await until('four tokens', () => given.length >= 4, 30000);
	await wsfand.total(4);
	await until('numbers', () => seen.totals.at(-1) === 4);
	assert.equal(seen.count('waiting'), 0);
	assert.deepEqual(seen.errors, []);
});

test('a token that expires: 1008; another one, and it is live again', async (t) => {
	const wsfand = await withWsfand(t, TOKENS);
	const seen = watching(t, wsfand.url, { token: signed(1) });
	await until('live', () => seen.client.state === 'live');
	await until('refused', () => seen.client.state === 'refused', 20000);
	assert.deepEqual(seen.errors.map((error) => error.code), ['TOKEN_EXPIRED', 'REFUSED']);
	assert.equal(seen.states.at(-1).code, 1008);
	assert.equal(seen.count('connecting'), 1);
	seen.client.setToken(signed(3600));
	await until('live again', () => seen.client.state === 'live');
	seen.client.setToken(signed(3600));
	await wsfand.total(1);
	await until('numbers', () => seen.totals.at(-1) === 1);
	assert.equal(seen.count('live'), 2);
});

test('a function that renews too late: 1008, then it is asked and it comes back by itself', async (t) => {
	const wsfand = await withWsfand(t, TOKENS);
	const tokens = [signed(1), null, signed(3600)];
	const seen = watching(t, wsfand.url, { token: () => (tokens.length > 1 ? tokens.shift() : tokens[0]) });
	await until('live twice', () => seen.count('live') === 2, 20000);
	assert.ok(seen.states.some((change) => change.code === 1008));
	assert.equal(seen.count('refused'), 0);
});

test('no token, a wrong one, one for another form', async (t) => {
	const wsfand = await withWsfand(t, TOKENS);
	for (const [token, code] of [[undefined, 401], ['a.b.c', 401], [signed(60, { forms: ['0'.repeat(24)] }), 403]]) {
		const seen = watching(t, wsfand.url, { token });
		await until('refused', () => seen.client.state === 'refused');
		assert.equal(seen.states.at(-1).code, code);
		assert.equal(seen.count('connecting'), 1);
	}
	const query = watching(t, wsfand.url, { token: signed(60, { forms: '*' }), tokenIn: 'query' });
	await until('live', () => query.client.state === 'live');
	assert.equal(query.client.formId, FORM);
});
