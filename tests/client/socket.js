// SPDX-License-Identifier: MIT
// The least WebSocket that will do for tests (RFC 6455), for Nodes that have none: a client with the browser's
// handlers and ws's 'unexpected-response', and a server that is played. No fragments, no extensions.
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import http from 'node:http';

const TEXT = 1, CLOSE = 8, PING = 9, PONG = 10;

function encode(opcode, payload, masked) {
	const head = [0x80 | opcode];
	const bit = masked ? 0x80 : 0;
	if (payload.length < 126)
		head.push(bit | payload.length);
	else if (payload.length < 65536)
		head.push(bit | 126, payload.length >> 8, payload.length & 255);
	else
		head.push(bit | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (payload.length >>> shift) & 255));
	if (!masked)
		return Buffer.concat([Buffer.from(head), payload]);
	const mask = randomBytes(4);
	return Buffer.concat([Buffer.from(head), mask, payload.map((byte, i) => byte ^ mask[i % 4])]);
}

// Calls `each(opcode, payload)` for each frame that is whole; returns the rest.
function decode(bytes, each) {
	while (bytes.length >= 2) {
		let length = bytes[1] & 127, at = 2;
		if (length === 126 && bytes.length >= 4)
			[length, at] = [bytes.readUInt16BE(2), 4];
		else if (length === 127 && bytes.length >= 10)
			[length, at] = [Number(bytes.readBigUInt64BE(2)), 10];
		else if (length > 125)
			return bytes;
		const mask = bytes[1] & 128 ? bytes.subarray(at, at + 4) : null;
		at += mask ? 4 : 0;
		if (bytes.length < at + length)
			return bytes;
		let payload = bytes.subarray(at, at + length);
		if (mask)
			payload = payload.map((byte, i) => byte ^ mask[i % 4]);
		each(bytes[0] & 15, payload);
		bytes = bytes.subarray(at + length);
	}
	return bytes;
}

// What both ends have in common.
class End extends EventEmitter {
	readyState = 0;
	#masked;
	#told = { code: 1006, reason: '' };
	attach(socket, head, masked) {
		let rest = Buffer.alloc(0);
		this.socket = socket;
		this.#masked = masked;
		this.readyState = 1;
		const take = (data) => {
			rest = decode(Buffer.concat([rest, data]), (opcode, payload) => this.#frame(opcode, payload));
		};
		socket.on('data', take);
		socket.on('error', () => {});
		socket.on('close', () => this.gone());
		socket.on('end', () => socket.destroy());
		if (head.length > 0)
			take(head);
	}
	#frame(opcode, payload) {
		if (opcode === TEXT) {
			this.onmessage?.({ data: payload.toString() });
			this.emit('text', payload.toString());
		} else if (opcode === PING) {
			this.socket.write(encode(PONG, payload, this.#masked));
		} else if (opcode === CLOSE) {
			this.#told = payload.length < 2 ? { code: 1005, reason: '' } :
				{ code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
			if (this.readyState === 1)
				this.socket.write(encode(CLOSE, payload, this.#masked));
			this.readyState = 2;
			this.socket.end();
		}
	}
	send(text) {
		this.socket.write(encode(TEXT, Buffer.from(text), this.#masked));
	}
	close(code = 1000, reason = '') {
		if (this.readyState === 0)
			this.request?.destroy();
		if (this.readyState !== 1)
			return;
		this.readyState = 2;
		const payload = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
		this.socket.write(encode(CLOSE, payload, this.#masked));
	}
	gone() {
		if (this.readyState === 3)
			return;
		this.readyState = 3;
		this.onclose?.(this.#told);
	}
}

export class Client extends End {
	constructor(url, protocols = []) {
		super();
		const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13,
			'Sec-WebSocket-Key': randomBytes(16).toString('base64') };
		if (protocols.length > 0)
			headers['Sec-WebSocket-Protocol'] = protocols.join(', ');
		this.request = http.get(url.replace(/^ws/, 'http'), { headers, agent: false });
		this.request.on('upgrade', (response, socket, head) => {
			this.protocol = response.headers['sec-websocket-protocol'] ?? '';
			this.readyState = 1;
			this.socket = socket;
			this.onopen?.({});
			this.attach(socket, head, true);
		});
		this.request.on('response', (response) => {
			if (!this.emit('unexpected-response', this.request, response))
				response.resume();
			this.gone();
		});
		this.request.on('error', () => {
			this.onerror?.({});
			this.gone();
		});
	}
}

// A server whose behaviour the test decides: `onRequest(request)` returns { status, headers } to refuse, or nothing.
export async function play(onRequest, onClient) {
	const server = http.createServer((request, response) => response.writeHead(426).end());
	const ends = new Set();
	server.on('upgrade', (request, socket, head) => {
		socket.on('error', () => {});
		const refusal = onRequest(request);
		if (refusal) {
			const lines = Object.entries(refusal.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
			socket.end(`HTTP/1.1 ${refusal.status} No\r\nContent-Length: 0\r\nConnection: close\r\n${lines.join('')}\r\n`);
			return;
		}
		const accept = createHash('sha1').update(
			`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
		socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
			(request.headers['sec-websocket-protocol'] ? 'Sec-WebSocket-Protocol: bearer\r\n' : '') +
			`Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
		const end = new End();
		ends.add(end);
		end.attach(socket, head, false);
		onClient?.(end, request);
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		url: `ws://127.0.0.1:${server.address().port}`,
		ends,
		stop() {
			for (const end of ends)
				end.socket.destroy();
			server.close();
		},
	};
}
