// SPDX-License-Identifier: MIT
// One form, live. What comes is only remembered; the page is drawn at most once per frame of the screen, from the newest.
import { FormAnalyticsWebSocket } from './form-analytics.js';
import { bars, histogram, scale, spark, trend, words } from './charts.js';
import { ask, at, count, duration, element, figure, isNumber, painter, setNumber, setText, setTime, share, showState,
	speak } from './show.js';

// Metrics come every few seconds while a form is watched, as long as analyticsd runs: whether what feeds it does,
// statsd knows. Whoever is only restarted is back before anybody calls that stale.
const STALE_MS = 20000;
const UPSTREAM = ['ingestd', 'analyticsd'];
const RESTART_MS = 5000;
const ASK_MS = 2000, ASK_CALMLY_MS = 10000;
const UNKNOWN_AFTER_MS = 2000;
const PIPELINE_WAIT_MS = 500;
const DEFINITION_FIRST_MS = 1000, DEFINITION_MOST_MS = 60000;
const DELAY_MOST_MS = 600000;
const ARRIVALS = 60, ARRIVALS_EVERY_MS = 2000;

const formId = decodeURIComponent(location.pathname.split('/').pop()).toLowerCase();
const untitled = `Form ${formId.slice(0, 4)}…${formId.slice(-4)}`;
const token = new URLSearchParams(location.search).get('token');
const seen = { analytics: null, metrics: null, viewers: null, delay: null };
const cards = new Map();
const arrivals = spark(ARRIVALS);
let definition = { title: '', fields: new Map() };
let definitionAt = -Infinity, definitionEvery = DEFINITION_FIRST_MS, definitionTimer = null;
let client = null;
let state = { state: 'connecting' };
let liveAt = 0, metricsAt = 0, longestMs = 0, trouble = '';
// What is wrong upstream, in words; whether it has lasted; and for which numbers that was said.
let upstream = { says: '', lasts: false, updatedAt: undefined };

// ---- the form's own words, where somebody tells them ----

async function readDefinition() {
	const wait = definitionAt + definitionEvery - performance.now();
	if (wait > 0) {
		definitionTimer ??= setTimeout(() => {
			definitionTimer = null;
			readDefinition();
		}, wait);
		return;
	}
	definitionAt = performance.now();
	definitionEvery = Math.min(2 * definitionEvery, DEFINITION_MOST_MS);
	const form = await ask(`/api/forms/${formId}`, token);
	if (!form || !Array.isArray(form.fields))
		return;
	const fields = form.fields.filter((field) => field && typeof field.id === 'string');
	definition = {
		title: typeof form.title === 'string' ? form.title : '',
		fields: new Map(fields.map((field) => [field.id, {
			...field,
			options: new Map((Array.isArray(field.options) ? field.options : []).map((one) => [one?.id, one?.label])),
		}])),
	};
	drawSoon();
}

// Fields and options that the definition lacks: perhaps it is a new one. Less and less often, as long as they stay the same.
let lacking = '';
function lookUp(byField) {
	const ids = Object.entries(byField ?? {}).flatMap(([id, field]) => {
		const options = definition.fields.get(id)?.options;
		return !options ? [id] : !['mcq', 'checkbox'].includes(field?.type) ? [] :
			Object.keys(field.distribution ?? {}).filter((option) => !options.has(option)).map((option) => `${id} ${option}`);
	}).join();
	if (ids !== lacking)
		definitionEvery = DEFINITION_FIRST_MS;
	lacking = ids;
	if (ids)
		readDefinition();
}

// ---- cards ----

const KINDS = { mcq: 'one choice', checkbox: 'several choices', rating: 'rating', text: 'text' };

function kindOf(field) {
	if (KINDS[field.type])
		return field.type;
	return field.distribution ? 'mcq' : field.topKeywords ? 'text' : 'rating';
}

function ratingParts() {
	const figures = element('dl', 'pair');
	const values = ['Mean', 'Median'].map((name) => {
		const group = element('div'), value = element('dd');
		group.append(element('dt', '', name), value);
		figures.append(group);
		return value;
	});
	const line = scale(), columns = histogram(), days = trend();
	return { nodes: [figures, columns.node, line.node, days.node], draw(field) {
		setNumber(values[0], figure(field.average));
		setNumber(values[1], `${field.medianExact === false ? '≈ ' : ''}${figure(field.median)}`);
		// Where there are too many different values to tell them all, a scale is left.
		const told = isNumber(field.average) && Object.entries(field.distribution ?? {}).some(([value, n]) => isNumber(Number(value)) && isNumber(n));
		columns.node.hidden = !told;
		line.node.hidden = told || !isNumber(field.average);
		if (told)
			columns.draw(field, rangeOf(field));
		else if (isNumber(field.average))
			line.draw(field, ...rangeOf(field));
		const data = Array.isArray(field.trend) ? field.trend.filter((one) => isNumber(one?.value)) : [];
		days.node.hidden = data.length === 0;
		if (data.length > 0)
			days.draw(data);
	} };
}

// From where to where people can have rated, as far as the numbers tell: 1 to 5, 0 to 10, or what there is.
function rangeOf(field) {
	const values = [field.average, field.median, ...(field.trend ?? []).map((one) => one?.value),
		...Object.keys(field.distribution ?? {}).map(Number)].filter(isNumber);
	const low = Math.min(...values), high = Math.max(...values);
	for (const range of [[1, 5], [0, 10], [0, 100]]) {
		if (low >= range[0] && high <= range[1])
			return range;
	}
	return [low, high];
}

function choiceParts() {
	const chart = bars();
	return { nodes: [chart.node], draw(field, defined) {
		const name = (id) => defined?.options.get(id) || (id === '_other' ? 'all others' : id === '' ? '(nothing)' : id);
		chart.draw(Object.entries(field.distribution ?? {}).filter(([, n]) => isNumber(n)).map(([id, n]) => [String(name(id)), n]), field.count);
	} };
}

function textParts() {
	const chart = words();
	const note = element('p', 'soft');
	return { nodes: [chart.node, note], draw(field) {
		const keywords = (field.topKeywords ?? []).filter((word) => isNumber(word?.count));
		chart.draw(keywords);
		setText(note, keywords.length === 0 ? 'No words yet.' : field.keywordsExact === false ?
			`Estimates: at most ${count(field.keywordsError)} too high.` : '');
		note.hidden = note.textContent === '';
	} };
}

const PARTS = { mcq: choiceParts, checkbox: choiceParts, rating: ratingParts, text: textParts };

function cardOf(id, kind) {
	let card = cards.get(id);
	if (card?.kind === kind)
		return card;
	card?.item.remove();
	const item = element('li', `card field ${kind}`);
	const head = element('div', 'field-head');
	const parts = PARTS[kind]();
	card = { kind, item, title: element('h3'), chip: element('span', 'chip', KINDS[kind]), note: element('p', 'soft'), draw: parts.draw };
	card.title.dir = 'auto';
	head.append(card.title, card.chip);
	item.append(head, card.note, ...parts.nodes);
	cards.set(id, card);
	return card;
}

function drawField(id, field) {
	const card = cardOf(id, kindOf(field));
	const defined = definition.fields.get(id);
	setText(card.title, defined?.label || id);
	card.title.title = id;
	const whole = seen.analytics.totalResponses;
	setText(card.note, `${count(field.count)} ${field.count === 1 ? 'answer' : 'answers'}` +
	    (whole > 0 && field.count <= whole ? ` · ${share(field.count / whole)} of all` : '') +
	    (field.invalid ? ` · ${count(field.invalid)} that do not fit` : ''));
	card.draw(field, defined);
	return card.item;
}

function drawFields(fields) {
	const order = [...definition.fields.keys()].filter((id) => Object.hasOwn(fields, id));
	const known = new Set(order);
	for (const id of Object.keys(fields)) {
		if (!known.has(id))
			order.push(id);
	}
	for (const [id, card] of cards) {
		if (!Object.hasOwn(fields, id)) {
			card.item.remove();
			cards.delete(id);
		}
	}
	order.forEach((id, i) => {
		const item = drawField(id, fields[id]);
		if (at('fields').children[i] !== item)
			at('fields').insertBefore(item, at('fields').children[i] ?? null);
	});
}

// ---- the whole ----

function drawNumbers() {
	const { analytics, metrics } = seen;
	if (analytics) {
		setNumber(at('total'), count(analytics.totalResponses));
		setTime(at('updated'), analytics.updatedAt);
		setText(at('delay'), isNumber(seen.delay) ? `, ${duration(seen.delay / 1000)} after the change` : '');
		setNumber(at('completion'), share(analytics.completionRate));
		at('completion-bar').style.width = `${100 * (analytics.completionRate || 0)}%`;
		setNumber(at('duration'), duration(analytics.averageTimeToComplete));
		drawFields(Object.fromEntries(Object.entries(analytics.byField ?? {}).filter(([, field]) => field && typeof field === 'object')));
	}
	if (metrics) {
		setNumber(at('today'), count(metrics.responsesToday ?? 0));
		setNumber(at('hour'), count(metrics.responsesThisHour ?? 0));
		setTime(at('last'), metrics.lastSubmission, 'none yet');
	}
	if (seen.viewers !== null)
		setNumber(at('viewers'), count(seen.viewers));
	const title = definition.title || untitled;
	if (setText(at('title'), title))
		document.title = `${definition.title || formId} – dune-live`;
}

const silentMs = () => Date.now() - Math.max(metricsAt, liveAt);

function silent() {
	return state.state === 'live' && metricsAt > 0 && silentMs() > Math.max(STALE_MS, 3 * longestMs);
}

// Numbers that do not tell when they changed come from somebody else than analyticsd, of whose source nobody knows.
function cutOff() {
	return upstream.lasts && isNumber(Date.parse(seen.analytics?.updatedAt));
}

function unknown() {
	return state.state === 'live' && !seen.analytics && Date.now() - liveAt > UNKNOWN_AFTER_MS;
}

function waitingText() {
	const seconds = Math.ceil((state.retryAt - Date.now()) / 1000);
	return seconds > 0 ? `Reconnecting in ${seconds} s` : 'Reconnecting…';
}

// What the pill says, its colour, and the sentence below the title.
function standing() {
	switch (state.state) {
	case 'connecting':
		return [seen.analytics || state.attempt > 0 ? 'Reconnecting…' : 'Connecting…', 'wait', trouble];
	case 'waiting':
		return [waitingText(), 'bad', seen.analytics ? `The numbers below are from before the connection broke${state.reason ?
			`: ${state.reason}` : ''}.` : `Unable to connect${state.reason ? `: ${state.reason}` : ''}.`];
	case 'paused':
		return ['Paused', 'wait', ''];
	case 'refused':
		return ['Refused', 'bad', `The server has turned this page away: ${state.reason || 'without a reason'}.`];
	case 'elsewhere':
		return ['No live numbers here', 'bad', ''];
	default:
	}
	if (silent())
		return ['Stale', 'bad', `Nothing new was heard of this form for ${duration(Math.round(silentMs() / 1000))}. ${upstream.says}`];
	if (unknown())
		return upstream.says ? ['No numbers yet', 'wait', `No numbers have come yet. ${upstream.says}`] :
			['Unknown form', 'wait', 'Nobody knows this form yet. As soon as it is defined or answered, its numbers show here.'];
	if (seen.analytics?.stale === true)
		return ['Stale: being counted anew', 'wait', 'Until everything is counted, these are the numbers from before, or of what was ' +
			`read so far. ${upstream.says}`];
	if (cutOff())
		return ['Stale', 'bad', `What is new may be missing here. ${upstream.says}`];
	if (seen.analytics?.totalResponses === 0)
		return ['Live, no responses yet', 'good', 'There are no responses yet. The first one shows here at once.'];
	return ['Live', 'good', trouble];
}

let stood = '';
function drawStanding() {
	const [text, kind, note] = standing();
	showState(text, kind);
	if (state.state !== 'elsewhere')
		setText(at('note'), note);
	at('retry').hidden = !['waiting', 'refused'].includes(state.state);
	// Each attempt is none of a listener's business.
	const now = text.startsWith('Reconnecting') ? 'Reconnecting' : text;
	if (now !== stood && stood)
		speak(`${now}. ${note}`, true);
	stood = now;
}

const drawSoon = painter(() => {
	drawNumbers();
	drawStanding();
	if (seen.analytics && state.state === 'live')
		speak(`${count(seen.analytics.totalResponses)} responses` +
			(seen.metrics ? `, ${count(seen.metrics.responsesThisHour)} this hour.` : '.'));
});

// How those stand from whom the numbers come. While statsd is away, what it said last holds for the numbers of then.
let askedAt = 0, asking = false, spread = 1;
async function askReady() {
	if (asking)
		return null;
	asking = true;
	const ready = await ask('/api/ready');
	asking = false;
	askedAt = performance.now();
	spread = 0.75 + Math.random() / 2;
	const updatedAt = seen.analytics?.updatedAt;
	if (ready?.checks) {
		const bad = UPSTREAM.map((name) => [name, ready.checks[name]]).filter(([, check]) => check?.ok === false);
		upstream = { updatedAt, says: bad.map(([name, check]) => `${name}: ${check.why}.`).join(' '),
			lasts: bad.some(([, check]) => Date.parse(ready.at) - Date.parse(check.since) >= RESTART_MS) };
	} else if (updatedAt !== upstream.updatedAt) {
		upstream = { updatedAt, says: '', lasts: false };
	}
	drawSoon();
	return ready;
}

// ---- what comes ----

function listen() {
	client.onAnalyticsUpdate = (data) => {
		seen.analytics = data;
		lookUp(data.byField);
		drawSoon();
	};
	client.onMetricsUpdate = (data) => {
		const now = Date.now();
		if (metricsAt > liveAt)
			longestMs = Math.max(longestMs, now - metricsAt);
		metricsAt = now;
		seen.metrics = data;
		if (isNumber(data.activeViewers))
			seen.viewers = data.activeViewers;
		drawSoon();
	};
	// When the source committed the change is told where the source tells it. Clocks that disagree tell nothing.
	client.on('message', (message) => {
		if (message.type !== 'analytics:update')
			return;
		const delay = Date.now() - Date.parse(message.at);
		seen.delay = delay >= 0 && delay < DELAY_MOST_MS ? delay : null;
	});
	// One wsfand's own viewers: of all there are, metrics tell.
	client.on('status', (data) => {
		if (isNumber(data.activeConnections) && !isNumber(seen.metrics?.activeViewers))
			seen.viewers = data.activeConnections;
		drawSoon();
	});
	client.onError = (error) => {
		if (!['REFUSED', 'TIMEOUT', 'DEAD_LINE', 'CONNECT_FAILED'].includes(error.code))
			trouble = `${error.code}: ${error.message}`;
		drawSoon();
	};
	client.on('state', (change) => {
		state = change;
		if (change.state === 'live') {
			liveAt = Date.now();
			trouble = '';
			setTimeout(drawSoon, UNKNOWN_AFTER_MS + 50);
		}
		drawSoon();
	});
}

function tick() {
	const every = silent() || unknown() || upstream.says ? ASK_MS : ASK_CALMLY_MS;
	if (state.state === 'live' && !document.hidden && performance.now() - askedAt >= every * spread)
		askReady();
	// Its words may change with all ids as they were.
	if (state.state === 'live' && !document.hidden && performance.now() - definitionAt >= DEFINITION_MOST_MS)
		readDefinition();
	drawStanding();
}

let lastTotal = null;
function arrived() {
	const total = seen.analytics?.totalResponses;
	if (isNumber(total) && lastTotal !== null)
		arrivals.push(total - lastTotal);
	lastTotal = isNumber(total) ? total : null;
}

async function begin() {
	setText(at('form-id'), formId);
	setText(at('title'), untitled);
	document.title = `${formId} – dune-live`;
	at('arrivals').append(arrivals.node);
	at('retry').addEventListener('click', () => client.connect());
	readDefinition();
	client = new FormAnalyticsWebSocket(formId, { token, checkUrl: `/api/forms/${formId}`, autoConnect: false });
	listen();
	setInterval(tick, 1000);
	setInterval(arrived, ARRIVALS_EVERY_MS);
	// statsd's own port shows this page too, but live numbers come through wsfand's alone.
	const asked = askReady();
	const soon = await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, PIPELINE_WAIT_MS))]);
	if (soon?.webSocket !== false)
		client.connect();
	if ((await asked)?.webSocket === false)
		showElsewhere();
}

function showElsewhere() {
	client.close();
	state = { state: 'elsewhere' };
	const link = element('a', '', `${location.protocol}//${location.hostname}:8080${location.pathname}`);
	link.href = link.textContent;
	at('note').replaceChildren('This is statsd’s own port. Live numbers come through wsfand’s port ' +
		'(DUNE_LISTEN, 8080 unless it was changed): ', link);
	drawStanding();
}

begin();
