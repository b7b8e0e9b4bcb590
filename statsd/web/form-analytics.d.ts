// SPDX-License-Identifier: MIT

/** One field's numbers. Which of them are there depends on its type: docs/counting.md, "Of each field". */
export interface FieldAnalytics {
	type?: 'text' | 'mcq' | 'checkbox' | 'rating';
	count: number;
	distribution?: Record<string, number>;
	average?: number;
	median?: number;
	/** `false` while the median is an estimate (within 1 %). */
	medianExact?: false;
	trend?: { date: string; value: number; count: number }[];
	topKeywords?: { keyword: string; count: number }[];
	/** `false` while the keywords are estimates, too high by at most `keywordsError`. */
	keywordsExact?: false;
	keywordsError?: number;
	invalid?: number;
}

/** `data` of analytics:update. */
export interface AnalyticsUpdate {
	totalResponses: number;
	byField: Record<string, FieldAnalytics>;
	/** 0 to 1. */
	completionRate?: number;
	/** Seconds. */
	averageTimeToComplete?: number;
	/** RFC 3339. */
	updatedAt?: string;
	/** `true` while everything, or this form, is counted anew: these are the numbers from before; or, in a first reading, of
	 *  what was read so far. */
	stale?: true;
}

/** `data` of metrics:update. */
export interface MetricsUpdate {
	responsesToday: number;
	responsesThisHour: number;
	activeViewers: number;
	lastSubmission?: string | null;
}

/** `data` of connection:status. */
export interface ConnectionStatus {
	status: string;
	activeConnections: number;
	/** Only in the first one of a connection. */
	clientId?: string;
	connectedAt?: string;
}

export type State = 'connecting' | 'live' | 'waiting' | 'paused' | 'refused' | 'closed';

export interface StateChange {
	state: State;
	/** How many attempts have failed in a row. */
	attempt?: number;
	/** While waiting: when the next attempt comes, in ms since the epoch, and from now. */
	retryAt?: number;
	retryInMs?: number;
	/** The close code, or the status of the answer to the handshake. */
	code?: number;
	reason?: string;
}

export class FormAnalyticsError extends Error {
	constructor(code: string, message: string, details?: object);
	/** The server's INVALID_MESSAGE, RATE_LIMITED, UNAUTHORIZED, TOKEN_EXPIRED; or ours: REFUSED, TIMEOUT, DEAD_LINE,
	 *  BAD_MESSAGE, TOKEN_UNAVAILABLE, CONNECT_FAILED, GAVE_UP. */
	code: string;
	status?: number;
	timestamp?: string;
}

export interface Events {
	analytics: AnalyticsUpdate;
	metrics: MetricsUpdate;
	status: ConnectionStatus;
	error: FormAnalyticsError;
	state: StateChange;
	/** Every message, as it came. */
	message: { type: string; formId?: string; data?: unknown };
}

export interface Options {
	/** Where wsfand is: `wss://host`, `https://host/prefix`. In a browser by default the page's own origin. */
	url?: string | URL;
	/** A JSON Web Token, or what gives one: asked at each attempt, and again before the token expires. */
	token?: string | (() => string | null | Promise<string | null>);
	/** How the token is sent: as a subprotocol (the default) or in the address. */
	tokenIn?: 'protocol' | 'query';
	/** A WebSocket class; the global one by default, which Node has since version 22. */
	WebSocket?: new (url: string, protocols?: string[]) => unknown;
	/** Asked, with the token, why a handshake failed, which browsers do not tell: for example `/api/forms/<id>`. */
	checkUrl?: string;
	fetch?: typeof fetch;
	/** Whose `hidden` and `visibilitychange` count; null: none. */
	document?: { readonly hidden: boolean; addEventListener: Function; removeEventListener: Function } | null;
	/** false: not before connect() is called. */
	autoConnect?: boolean;
	/** The first retry comes within this time. */
	firstRetryMs?: number;
	/** From the second on: half to all of this, doubled each time up to maxBackoffMs. */
	backoffMs?: number;
	maxBackoffMs?: number;
	/** Infinity by default. */
	maxRetries?: number;
	/** A connection that lived so long makes the next retry a first one. */
	stableMs?: number;
	connectTimeoutMs?: number;
	/** A ping after so much silence; 0: none. */
	pingMs?: number;
	pongTimeoutMs?: number;
	/** How long a hidden page stays connected. */
	pauseAfterMs?: number;
	refreshBeforeMs?: number;
	/** How long numbers that are older than the newest ones are passed over. */
	catchUpMs?: number;
}

export class FormAnalyticsWebSocket {
	constructor(formId: string, options?: Options);
	readonly formId: string;
	readonly state: State;
	readonly last: {
		analytics: AnalyticsUpdate | null;
		metrics: MetricsUpdate | null;
		status: ConnectionStatus | null;
	};
	onAnalyticsUpdate(data: AnalyticsUpdate): void;
	onMetricsUpdate(data: MetricsUpdate): void;
	onError(error: FormAnalyticsError): void;
	on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void;
	off<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): void;
	connect(): void;
	close(): void;
	disconnect(): void;
	refresh(): boolean;
	setToken(token: Options['token']): void;
}

export default FormAnalyticsWebSocket;
