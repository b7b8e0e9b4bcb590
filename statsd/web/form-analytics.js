// SPDX-License-Identifier: MIT
// The live numbers of one form, over a WebSocket that is opened again whenever it breaks. For browsers and Node;
// needs nothing else. How it is used: docs/client.md. What goes over the wire: docs/protocol.md, "WebSocket".

const DEFAULTS = {
	autoConnect: true,
	tokenIn: 'protocol',
	firstRetryMs: 250,
	backoffMs: 1000,
	maxBackoffMs: 30000,
	maxRetries: Infinity,
	stableMs: 5000,
	connectTimeoutMs: 10000,
	pingMs: 20000,
	pongTimeoutMs: 10000,
	pauseAfterMs: 15000,
	refreshBeforeMs: 30000,
	catchUpMs: 10000,
};

const OPEN = 1;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const CLOSE_FOLLOWS_MS = 100;
const GOING_AWAY = 1001;
const ABNORMAL = 1006;
const POLICY_VIOLATION = 1008;
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;
// What we sent was wrong; sending it again soon will not make it right.
const OUR_FAULT = new Set([1002, 1003, 1007, 1009, 1010]);
const EVENTS = ['analytics', 'metrics', 'status', 'error', 'state', 'message'];

/** What went wrong, with a code: the server's (INVALID_MESSAGE …) or one of docs/client.md. */
export class FormAnalyticsError extends Error {
	constructor(code, message, details) {
		super(message);
		this.name = 'FormAnalyticsError';
		this.code = code;
		Object.assign(this, details);
	}
}

// The time at which a JSON Web Token expires, in ms; Infinity where it cannot be told.
function expiryOf(token) {
	try {
		const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
		const { exp } = JSON.parse(atob(part));
		return Number.isFinite(exp) ? exp * 1000 : Infinity;
	} catch {
		return Infinity;
	}
}

// Retry-After (RFC 9110, 10.2.3): seconds or a date; 0 where there is none.
function retryAfterMs(value) {
	if (!value)
		return 0;
	const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
	return Number.isFinite(ms) ? Math.min(Math.max(0, ms), 3600000) : 0;
}

function rethrowLater(error) {
	if (typeof reportError === 'function')
		reportError(error);
	else
		console.error(error);
}

function baseUrl(given) {
	const base = given ?? globalThis.location?.href;
	if (!base)
		throw new TypeError('FormAnalyticsWebSocket: outside a browser it needs { url: "ws://host:port" }');
	const url = new URL(given ?? '/', base);
	url.protocol = url.protocol.replace(/^http/, 'ws');
	return url;
}

export class FormAnalyticsWebSocket {
	#options;
	#listeners = Object.fromEntries(EVENTS.map((name) => [name, new Set()]));
	#socket = null;
	// Each attempt has a number of its own: what belongs to an older one is passed over.
	#generation = 0;
	#timers = {};
	#state = 'closed';
	#detail = {};
	#wanted = false;
	#attempts = 0;
	#token = null;
	// The token that the server would not have: not worth another attempt.
	#refusedToken = null;
	#heardAt = 0;
	#heard = 0;
	#newest = -Infinity;
	// Since when nothing but older numbers has come; null: it is not so.
	#olderSince = null;
	#last = { analytics: null, metrics: null, status: null };
	#page;
	#onVisibility = () => this.#visibilityChanged();
	#onOnline = () => this.#backOnline();

	constructor(formId, options = {}) {
		if (!/^[0-9a-f]{24}$/i.test(formId))
			throw new TypeError('FormAnalyticsWebSocket: a form id has 24 hexadecimal digits');
		this.formId = formId.toLowerCase();
		this.#options = { ...DEFAULTS, WebSocket: globalThis.WebSocket, fetch: globalThis.fetch, ...options };
		if (typeof this.#options.WebSocket !== 'function')
			throw new TypeError('FormAnalyticsWebSocket: there is no WebSocket here; pass one, as in { WebSocket }');
		this.#options.url = baseUrl(options.url);
		this.#page = 'document' in options ? options.document : globalThis.document;
		// Handlers are set after the constructor; nothing may come before that.
		if (this.#options.autoConnect)
			queueMicrotask(() => this.connect());
	}

	// Assigned, or overridden in a subclass.
	onAnalyticsUpdate(_data) {}
	onMetricsUpdate(_data) {}
	onError(_error) {}

	get state() {
		return this.#state;
	}

	/** The newest of each, or null. */
	get last() {
		return { ...this.#last };
	}

	/** Calls `listener` at each `name`: analytics, metrics, status, error, state, message. Returns what ends that. */
	on(name, listener) {
		const set = Object.hasOwn(this.#listeners, name) ? this.#listeners[name] : null;
		if (!set)
			throw new TypeError(`FormAnalyticsWebSocket: there is no event ${name}`);
		set.add(listener);
		return () => this.off(name, listener);
	}

	off(name, listener) {
		this.#listeners[name]?.delete(listener);
	}

	/** Connects; or, while it waits for the next attempt or was refused, tries at once. */
	connect() {
		if (!this.#wanted) {
			this.#wanted = true;
			this.#page?.addEventListener?.('visibilitychange', this.#onVisibility);
			globalThis.addEventListener?.('online', this.#onOnline);
		}
		if (this.#state === 'connecting' || this.#state === 'live')
			return;
		this.#refusedToken = null;
		this.#attempts = 0;
		this.#open();
	}

	/** Ends it for good; connect() begins anew. */
	close() {
		this.#wanted = false;
		this.#page?.removeEventListener?.('visibilitychange', this.#onVisibility);
		globalThis.removeEventListener?.('online', this.#onOnline);
		this.#drop(1000);
		this.#setState('closed');
	}

	/** The name of the class that came before. */
	disconnect() {
		this.close();
	}

	/** Asks for the newest numbers again. */
	refresh() {
		return this.#send({ type: 'analytics:get' });
	}

	/** A new token: to the server at once where it is connected, else with the next attempt. */
	setToken(token) {
		this.#options.token = token;
		if (this.#state === 'live')
			this.#renew(this.#generation);
		else if (this.#state === 'refused')
			this.connect();
	}

	// ---- telling ----

	#emit(name, value, handler) {
		for (const call of [handler && ((data) => this[handler]?.(data)), ...this.#listeners[name]]) {
			try {
				call?.(value);
			} catch (error) {
				rethrowLater(error);
			}
		}
	}

	#fail(code, message, details) {
		this.#emit('error', new FormAnalyticsError(code, message, details), 'onError');
	}

	#setState(state, detail = {}) {
		this.#state = state;
		this.#detail = detail;
		this.#emit('state', { state, ...detail });
	}

	// ---- one connection ----

	#after(name, ms, action) {
		clearTimeout(this.#timers[name]);
		const generation = this.#generation;
		this.#timers[name] = setTimeout(() => {
			if (generation === this.#generation)
				action();
		}, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
	}

	// Lets go of the socket without waiting for its farewell: a dead line gives none.
	#drop(code) {
		this.#generation++;
		for (const timer of Object.values(this.#timers))
			clearTimeout(timer);
		this.#timers = {};
		const socket = this.#socket;
		this.#socket = null;
		if (!socket)
			return;
		try {
			socket.close(code);
		} catch {
			// It was not open yet, in an implementation that minds.
		}
	}

	async #currentToken() {
		const { token } = this.#options;
		return (typeof token === 'function' ? await token() : token) || null;
	}

	async #open() {
		this.#drop(1000);
		const generation = this.#generation;
		this.#setState('connecting', { attempt: this.#attempts });
		let token;
		// Whoever has a token for us may be silent for ever, just as the server may.
		this.#limit('TOKEN_UNAVAILABLE', 'no token came in time');
		try {
			token = await this.#currentToken();
		} catch (error) {
			if (generation === this.#generation) {
				this.#fail('TOKEN_UNAVAILABLE', `no token was to be had: ${error?.message ?? error}`, { cause: error });
				this.#retry({ reason: 'no token was to be had' });
			}
			return;
		}
		if (generation !== this.#generation)
			return;
		if (token && token === this.#refusedToken) {
			this.#setState('refused', { ...this.#detail, reason: 'the server does not take this token' });
			return;
		}
		this.#token = token;
		this.#connectSocket(generation);
	}

	#address() {
		const url = new URL(this.#options.url);
		url.pathname = `${url.pathname.replace(/\/+$/, '')}/ws/forms/${this.formId}`;
		url.search = '';
		url.hash = '';
		if (this.#token && this.#options.tokenIn === 'query')
			url.searchParams.set('token', this.#token);
		return url.href;
	}

	#connectSocket(generation) {
		const { WebSocket: Socket, tokenIn } = this.#options;
		const protocols = this.#token && tokenIn === 'protocol' ? ['bearer', this.#token] : [];
		const mine = (action) => (event) => {
			if (generation === this.#generation)
				action(event);
		};
		let socket;
		try {
			socket = new Socket(this.#address(), protocols);
		} catch (error) {
			this.#fail('CONNECT_FAILED', String(error?.message ?? error), { cause: error });
			this.#retry({ reason: 'unable to connect' });
			return;
		}
		this.#socket = socket;
		socket.onopen = mine(() => this.#opened());
		socket.onmessage = mine((event) => this.#take(event.data));
		socket.onclose = mine((event) => this.#closed(event.code, event.reason));
		// A close follows (but not in Node's own, where a connection fails); that something went wrong is all that is said.
		socket.onerror = mine(() => this.#after('lost', CLOSE_FOLLOWS_MS, () => this.#closed(ABNORMAL, '')));
		// ws, and whatever else in Node shows the answer to a handshake that failed.
		if (typeof socket.on === 'function')
			socket.on('unexpected-response', (request, response) => {
				mine(() => this.#answered(response.statusCode, response.headers['retry-after']))();
				response.resume?.();
				request.destroy?.();
			});
		this.#limit('TIMEOUT', 'the server did not answer the handshake');
	}

	#limit(code, words) {
		this.#after('connect', this.#options.connectTimeoutMs, () => {
			this.#fail(code, words);
			this.#drop();
			this.#retry({ reason: words });
		});
	}

	#opened() {
		clearTimeout(this.#timers.connect);
		this.#after('stable', this.#options.stableMs, () => {
			this.#attempts = 0;
		});
		this.#heardAt = Date.now();
		this.#watchLine();
		this.#watchToken();
		this.#setState('live');
		if (this.#page?.hidden)
			this.#visibilityChanged();
	}

	#send(message) {
		if (this.#socket?.readyState !== OPEN)
			return false;
		this.#socket.send(JSON.stringify(message));
		return true;
	}

	// Pings where nothing else is heard.
	#watchLine() {
		const { pingMs } = this.#options;
		if (!pingMs)
			return;
		this.#after('ping', this.#heardAt + pingMs - Date.now(), () => {
			if (Date.now() - this.#heardAt < pingMs)
				this.#watchLine();
			else
				this.#ping();
		});
	}

	// Takes the line for dead where nothing at all comes after it.
	#ping() {
		const before = this.#heard;
		this.#send({ type: 'ping', timestamp: Date.now() });
		this.#after('ping', this.#options.pongTimeoutMs, () => {
			if (this.#heard !== before) {
				this.#watchLine();
				return;
			}
			this.#fail('DEAD_LINE', 'the server did not answer a ping');
			this.#drop();
			this.#retry({ reason: 'the line was dead' });
		});
	}

	// A token that can be had anew is renewed before it expires; sooner where it lives only shortly.
	#watchToken() {
		const left = expiryOf(this.#token ?? '') - Date.now();
		if (!Number.isFinite(left) || typeof this.#options.token !== 'function')
			return;
		const generation = this.#generation;
		const early = Math.min(this.#options.refreshBeforeMs, left / 2);
		if (left - early > LONGEST_TIMER_MS)
			this.#after('token', LONGEST_TIMER_MS, () => this.#watchToken());
		else
			this.#after('token', left - early, () => this.#renew(generation));
	}

	async #renew(generation) {
		let token = null;
		try {
			token = await this.#currentToken();
		} catch (error) {
			this.#fail('TOKEN_UNAVAILABLE', `no new token was to be had: ${error?.message ?? error}`, { cause: error });
		}
		if (generation !== this.#generation || this.#state !== 'live')
			return;
		if (token && token !== this.#token && this.#send({ type: 'auth', token }))
			this.#token = token;
		else if (expiryOf(this.#token ?? '') > Date.now()) {
			this.#after('token', Math.min(5000, this.#options.refreshBeforeMs / 4 + 100), () => this.#renew(generation));
			return;
		}
		this.#watchToken();
	}

	// ---- what the server says ----

	#take(text) {
		this.#heardAt = Date.now();
		this.#heard++;
		let message;
		try {
			message = JSON.parse(text);
		} catch (error) {
			this.#fail('BAD_MESSAGE', 'the server sent what is no JSON', { cause: error });
			return;
		}
		if (!message || typeof message !== 'object')
			return;
		this.#emit('message', message);
		const { type, data } = message;
		if (type === 'pong' || !data || typeof data !== 'object')
			return;
		if (type === 'analytics:update')
			this.#takeAnalytics(data);
		else if (type === 'metrics:update') {
			this.#last.metrics = data;
			this.#emit('metrics', data, 'onMetricsUpdate');
		} else if (type === 'connection:status') {
			this.#last.status = { ...this.#last.status, ...data };
			this.#emit('status', data);
		} else if (type === 'error') {
			const { code, message: words, ...rest } = data;
			this.#fail(code, words, rest);
		}
	}

	// A server that was just started, or another one, may be behind what was shown already, and has a while to catch up.
	// Where it does not, that is how things stand: its clock was set back, or its numbers come from a backup.
	#takeAnalytics(data) {
		const at = Date.parse(data.updatedAt);
		if (at < this.#newest) {
			this.#olderSince ??= performance.now();
			const left = this.#olderSince + this.#options.catchUpMs - performance.now();
			if (left > 0) {
				this.#after('older', left, () => this.#takeAnalytics(data));
				return;
			}
		}
		clearTimeout(this.#timers.older);
		this.#olderSince = null;
		if (Number.isFinite(at))
			this.#newest = at;
		this.#last.analytics = data;
		this.#emit('analytics', data, 'onAnalyticsUpdate');
	}

	#closed(code, reason) {
		const opened = this.#state === 'live';
		this.#drop();
		if (code === POLICY_VIOLATION)
			this.#refused(code, reason || 'the server has ended this connection');
		else if (!opened && this.#options.checkUrl)
			this.#check({ code, reason });
		else
			this.#retry({ code, reason, opened });
	}

	// A browser does not say why a handshake failed. An address that asks for the same token can.
	async #check(detail) {
		const generation = this.#generation;
		// Not as a method: a browser's own wants to be called for itself.
		const { fetch, checkUrl } = this.#options;
		let response = null;
		try {
			response = await fetch(checkUrl, {
				headers: this.#token ? { Authorization: `Bearer ${this.#token}` } : {},
				cache: 'no-store',
			});
		} catch {
			// It is away as well: nothing more is known.
		}
		if (generation !== this.#generation)
			return;
		if (response && [401, 403, 429].includes(response.status))
			this.#answered(response.status, response.headers.get('retry-after'));
		else
			this.#retry(detail);
	}

	// The handshake was answered with something other than 101.
	#answered(status, retryAfter) {
		this.#drop();
		if (status === 401 || status === 403)
			this.#refused(status, status === 401 ? 'it wants a valid token' : 'it does not let us see this form');
		else if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
			this.#fail('REFUSED', `the server answered ${status}`, { status });
			this.#setState('refused', { code: status, reason: `the server answered ${status}` });
		} else
			this.#retry({ code: status, reason: `the server answered ${status}`, atLeastMs: retryAfterMs(retryAfter) });
	}

	// Only another token helps; where there is a function for it, it is asked.
	#refused(code, reason) {
		this.#fail('REFUSED', `refused: ${reason}`, { status: code });
		this.#refusedToken = this.#token;
		if (this.#token && typeof this.#options.token === 'function')
			this.#retry({ code, reason });
		else
			this.#setState('refused', { code, reason });
	}

	// ---- coming back ----

	#delay({ code, opened, atLeastMs = 0 }) {
		const { firstRetryMs, backoffMs, maxBackoffMs } = this.#options;
		const attempt = this.#attempts++;
		if (atLeastMs > 0)
			// Everybody was told the same time.
			return atLeastMs + Math.random() * Math.max(backoffMs, atLeastMs / 4);
		let step = attempt;
		if (code === TRY_AGAIN_LATER || code === INTERNAL_ERROR)
			step += 1;
		else if (OUR_FAULT.has(code))
			step += 3;
		if (step === 0)
			return Math.random() * (code === GOING_AWAY || opened ? firstRetryMs : 2 * firstRetryMs);
		const most = Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(step - 1, 20));
		return most / 2 + (Math.random() * most) / 2;
	}

	#retry(detail) {
		if (!this.#wanted)
			return;
		if (this.#attempts >= this.#options.maxRetries) {
			this.#fail('GAVE_UP', `gave up after ${this.#attempts} attempts`);
			this.#setState('refused', { ...detail, reason: detail.reason || 'too many attempts' });
			return;
		}
		const ms = this.#delay(detail);
		this.#after('retry', ms, () => {
			if (this.#page?.hidden)
				this.#setState('paused');
			else
				this.#open();
		});
		this.#setState('waiting', { attempt: this.#attempts, retryInMs: ms, retryAt: Date.now() + ms,
			code: detail.code, reason: detail.reason || '' });
	}

	#comeBackNow() {
		if (this.#wanted && (this.#state === 'waiting' || (this.#state === 'paused' && !this.#page?.hidden)))
			this.#open();
	}

	// Another network, perhaps: what waits need not, and what is open may be so in name only.
	#backOnline() {
		if (this.#state === 'live' && this.#options.pingMs)
			this.#ping();
		else
			this.#comeBackNow();
	}

	// A page that nobody looks at needs no numbers; the server sends the newest to whoever comes back.
	#visibilityChanged() {
		if (!this.#page.hidden) {
			clearTimeout(this.#timers.pause);
			if (this.#state === 'paused')
				this.#comeBackNow();
			else if (this.#state === 'live')
				this.refresh();
			return;
		}
		if (this.#state === 'live')
			this.#after('pause', this.#options.pauseAfterMs, () => {
				this.#drop(1000);
				this.#setState('paused');
			});
	}
}

export default FormAnalyticsWebSocket;
