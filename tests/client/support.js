// SPDX-License-Identifier: MIT
// What the tests of the client share: a wsfand of their own, a producer, a line that can be cut, and waiting.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { FormAnalyticsWebSocket } from '../../statsd/web/form-analytics.js';
import { Client } from './socket.js';

export const FORM = '60f7b1b9e1234567890abcde';
const SLOW = Number(process.env.DUNE_TEST_SLOW ?? 1);

// A token as wsfand takes it (HS256), for so many seconds.
export const SECRET = 'a secret of at least thirty-two bytes';
let serial = 0;
export function signed(seconds, claims = { forms: [FORM] }) {
	const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ exp: Math.ceil(Date.now() / 1000) + seconds, jti: ++serial, ...claims })}`;
	return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

export async function until(what, condition, ms = 10000) {
	const end = Date.now() + ms * SLOW;
	while (!condition()) {
		if (Date.now() > end)
			throw new Error(`not within ${ms * SLOW} ms: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

// A client that notes what happens to it. Short waits, so that tests are.
export function watch(url, options = {}) {
	const client = new FormAnalyticsWebSocket(FORM, { url, WebSocket: Client, firstRetryMs: 20, backoffMs: 60,
		maxBackoffMs: 200, document: null, ...options });
	const seen = { states: [], totals: [], metrics: [], errors: [] };
	client.on('state', (change) => seen.states.push(change));
	client.onAnalyticsUpdate = (data) => seen.totals.push(data.totalResponses);
	client.onMetricsUpdate = (data) => seen.metrics.push(data);
	client.onError = (error) => seen.errors.push(error);
	return Object.assign(seen, { client, names: () => seen.states.map((change) => change.state),
		count: (name) => seen.states.filter((change) => change.state === name).length });
}

export class Wsfand {
	directory = mkdtempSync(path.join(os.tmpdir(), 'dune-client.'));
	port = 0;
	constructor(settings = {}) {
		this.settings = settings;
	}
	async start() {
		const env = { PATH: process.env.PATH, DUNE_RUN_DIR: this.directory, DUNE_LISTEN: `127.0.0.1:${this.port}`,
			DUNE_CONNECT_RATE: '0', DUNE_DRAIN_MS: '100', DUNE_NOTIFY_FD: '3', ...this.settings };
		this.process = spawn(path.join(process.env.DUNE_TEST_BIN, 'wsfand'), { env,
			stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
		let log = '';
		this.process.stderr.on('data', (data) => {
			log += data;
		});
		await Promise.race([once(this.process.stdio[3], 'data'), once(this.process, 'exit').then(() => {
			throw new Error(`wsfand has ended: ${log}`);
		})]);
		await until('the port is told', () => /listening on \S*:\d+/.test(log));
		this.port = Number(/listening on \S*:(\d+)/.exec(log)[1]);
		this.url = `ws://127.0.0.1:${this.port}`;
	}
	async end(signal) {
		if (this.process.exitCode !== null || this.process.signalCode !== null)
			return;
		const over = once(this.process, 'exit');
		this.process.kill(signal);
		await over;
	}
	async stop() {
		await this.end('SIGKILL');
		rmSync(this.directory, { recursive: true, force: true });
	}
	// Frames for everybody in the room.
	async send(...messages) {
		const socket = net.connect(path.join(this.directory, 'frames.sock'));
		await once(socket, 'connect');
		for (const [type, data] of messages) {
			const text = Buffer.from(JSON.stringify({ type, formId: FORM, data }));
			const head = Buffer.alloc(4);
			head.writeUInt32BE(text.length);
			socket.write(Buffer.concat([head, text]));
		}
		socket.end();
		socket.resume();
		await once(socket, 'close');
	}
	total(count, second = count) {
		return this.send(['analytics:update', { totalResponses: count, byField: {},
			updatedAt: new Date(1772357400000 + second * 1000).toISOString() }]);
	}
}

// A line to a port that can be cut, or go dead without a word.
export class Line {
	pairs = new Set();
	dead = false;
	constructor(port) {
		this.server = net.createServer((near) => {
			const far = net.connect(port, '127.0.0.1');
			const pair = [near, far];
			this.pairs.add(pair);
			for (const [from, to] of [[near, far], [far, near]]) {
				from.on('data', (data) => this.dead || to.write(data));
				from.on('error', () => {});
				from.on('close', () => {
					this.pairs.delete(pair);
					if (!this.dead)
						to.destroy();
				});
			}
		});
	}
	async open() {
		await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
		this.url = `ws://127.0.0.1:${this.server.address().port}`;
	}
	cut() {
		for (const pair of this.pairs)
			pair.forEach((socket) => socket.destroy());
	}
	stop() {
		this.cut();
		this.server.close();
	}
}
