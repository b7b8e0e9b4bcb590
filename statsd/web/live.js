// SPDX-License-Identifier: MIT
// One form, live: a WebSocket to /ws/forms/ID on the same origin, opened again when it breaks. Whatever
// comes is only remembered; the page is drawn at most once per frame of the screen, from the newest state.
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30000;
const POLICY_VIOLATION = 1008;
const BARS = 50;
const SVG = 'http://www.w3.org/2000/svg';

const formId = decodeURIComponent(location.pathname.split('/').pop()).toLowerCase();
const number = new Intl.NumberFormat();
const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const at = (id) => document.getElementById(id);

const seen = { analytics: null, metrics: null, viewers: null };
const cards = new Map();
let waitMs = FIRST_WAIT_MS;
let timer = null;
let drawing = false;

function element(name, className, text) {
	const made = document.createElement(name);
	if (className)
		made.className = className;
	if (text !== undefined)
		made.textContent = text;
	return made;
}

function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

function showState(text, kind) {
	setText(at('state'), text);
	at('state').className = `state ${kind}`;
}

function showNote(text, link) {
	const note = at('note');
	note.hidden = !text;
	note.replaceChildren(text || '');
	if (link) {
		const anchor = element('a', '', link);
		anchor.href = link;
		note.append(' ', anchor);
	}
}

// ---- drawing ----

// Rows [name, count] as bars, longest first; the list's nodes are used again.
function drawBars(list, rows, whole) {
	const most = Math.max(1, ...rows.map((row) => row[1]));
	rows.sort((a, b) => b[1] - a[1]);
	rows.length = Math.min(rows.length, BARS);
	while (list.children.length > rows.length)
		list.lastChild.remove();
	while (list.children.length < rows.length) {
		const item = element('li');
		const track = element('span', 'track');
		track.append(element('div', 'fill'));
		item.append(element('bdi', 'name'), element('span', 'count'), track);
		list.append(item);
	}
	rows.forEach(([name, count], index) => {
		const [label, value, track] = list.children[index].children;
		setText(label, name);
		label.title = name;
		setText(value, whole ? `${number.format(count)} · ${percent.format(count / whole)}` :
		    number.format(count));
		track.firstChild.style.width = `${(100 * count) / most}%`;
	});
}

// The means of the days as a line from the lowest to the highest.
function drawTrend(svg, trend) {
	const values = trend.map((day) => day.value);
	const low = Math.min(...values);
	const span = Math.max(...values) - low || 1;
	const step = 100 / Math.max(1, trend.length - 1);
	const points = values.map((value, i) => `${i * step},${36 - (32 * (value - low)) / span}`);
	svg.replaceChildren();
	const line = document.createElementNS(SVG, 'polyline');
	line.setAttribute('points', points.length === 1 ? '0,20 100,20' : points.join(' '));
	const title = document.createElementNS(SVG, 'title');
	title.textContent = trend.map((day) => `${day.date}: ${decimal.format(day.value)}`).join('\n');
	svg.append(title, line);
	svg.setAttribute('aria-label', `Mean by day, ${trend[0].date} to ${trend[trend.length - 1].date}`);
}

function cardOf(id) {
	let card = cards.get(id);
	if (card)
		return card;
	const item = element('li');
	const trend = document.createElementNS(SVG, 'svg');
	trend.setAttribute('class', 'trend');
	trend.setAttribute('viewBox', '0 0 100 40');
	trend.setAttribute('preserveAspectRatio', 'none');
	trend.setAttribute('role', 'img');
	card = { item, title: element('h3'), note: element('p', 'soft'), figures: element('p'),
		bars: element('ul', 'bars'), trend };
	item.append(card.title, card.note, card.figures, trend, card.bars);
	cards.set(id, card);
	at('fields').append(item);
	return card;
}

function drawField(id, field) {
	const card = cardOf(id);
	setText(card.title, field.label || id);
	setText(card.note, `${number.format(field.count)} answers` +
	    (field.invalid ? `, ${number.format(field.invalid)} that do not fit` : ''));
	const figures = [];
	if (Number.isFinite(field.average))
		figures.push(`mean ${decimal.format(field.average)}`);
	if (Number.isFinite(field.median))
		figures.push(`median ${field.medianExact === false ? 'about ' : ''}${decimal.format(field.median)}`);
	setText(card.figures, figures.join(' · '));
	card.figures.hidden = figures.length === 0;
	const trend = Array.isArray(field.trend) ? field.trend : [];
	card.trend.toggleAttribute('hidden', trend.length === 0);
	if (trend.length > 0)
		drawTrend(card.trend, trend);
	if (field.distribution)
		drawBars(card.bars, Object.entries(field.distribution), field.count);
	else
		drawBars(card.bars, (field.topKeywords || []).map((word) => [word.keyword, word.count]), 0);
}

function drawAnalytics(data) {
	setText(at('total'), number.format(data.totalResponses));
	setText(at('completion'), Number.isFinite(data.completionRate) ?
	    percent.format(data.completionRate) : '–');
	setText(at('duration'), Number.isFinite(data.averageTimeToComplete) ?
	    `${decimal.format(data.averageTimeToComplete)} s` : '–');
	const fields = data.byField || {};
	for (const [id, card] of cards) {
		if (!Object.hasOwn(fields, id)) {
			card.item.remove();
			cards.delete(id);
		}
	}
	for (const [id, field] of Object.entries(fields))
		drawField(id, field);
}

function drawMetrics(data) {
	setText(at('today'), number.format(data.responsesToday ?? 0));
	setText(at('hour'), number.format(data.responsesThisHour ?? 0));
	const last = at('last');
	setText(last, data.lastSubmission ? new Date(data.lastSubmission).toLocaleTimeString() : 'none yet');
	last.title = data.lastSubmission ? new Date(data.lastSubmission).toLocaleString() : '';
}

function draw() {
	drawing = false;
	if (seen.analytics)
		drawAnalytics(seen.analytics);
	if (seen.metrics)
		drawMetrics(seen.metrics);
	if (seen.viewers !== null)
		setText(at('viewers'), number.format(seen.viewers));
	if (seen.analytics)
		showNote(seen.analytics.totalResponses === 0 ? 'There are no responses yet.' : '');
}

function drawSoon() {
	if (drawing)
		return;
	drawing = true;
	requestAnimationFrame(draw);
}

// ---- the connection ----

function take(message) {
	const data = message.data;
	switch (message.type) {
	case 'analytics:update':
		seen.analytics = data;
		break;
	case 'metrics:update':
		seen.metrics = data;
		if (Number.isFinite(data.activeViewers))
			seen.viewers = data.activeViewers;
		break;
	case 'connection:status':
		if (Number.isFinite(data.activeConnections))
			seen.viewers = data.activeConnections;
		break;
	case 'error':
		showNote(`${data.code}: ${data.message}`);
		return;
	default:
		return;
	}
	drawSoon();
}

function later() {
	const wait = waitMs / 2 + Math.random() * (waitMs / 2);
	const until = Date.now() + wait;
	waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
	at('retry').hidden = false;
	const tick = () => {
		const left = until - Date.now();
		if (left <= 0) {
			connect();
			return;
		}
		showState(`Reconnecting in ${Math.ceil(left / 1000)} s`, 'bad');
		timer = setTimeout(tick, Math.min(left, 1000));
	};
	tick();
}

function connect() {
	clearTimeout(timer);
	at('retry').hidden = true;
	showState(seen.analytics ? 'Reconnecting…' : 'Connecting…', '');
	const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
	const socket = new WebSocket(`${scheme}//${location.host}/ws/forms/${formId}${location.search}`);
	socket.addEventListener('open', () => {
		waitMs = FIRST_WAIT_MS;
		showState('Live', 'good');
		showNote(seen.analytics ? '' : 'No numbers for this form have come yet: either it has no ' +
		    'responses, or nobody knows it.');
	});
	socket.addEventListener('message', (event) => {
		try {
			take(JSON.parse(event.data));
		} catch (error) {
			console.error('a message that cannot be shown', error);
		}
	});
	socket.addEventListener('close', (event) => {
		if (event.code === POLICY_VIOLATION) {
			showState('Refused', 'bad');
			showNote(`The server has ended this connection: ${event.reason || 'policy'}.`);
			at('retry').hidden = false;
			return;
		}
		later();
	});
}

// statsd's own port shows this page too, but live numbers come through wsfand's alone.
async function begin() {
	setText(at('form-id'), formId);
	document.title = `${formId} – dune-live`;
	at('retry').addEventListener('click', () => {
		waitMs = FIRST_WAIT_MS;
		connect();
	});
	try {
		const answer = await fetch('/api/pipeline', { cache: 'no-store' });
		if (answer.ok && (await answer.json()).webSocket === false) {
			showState('No live numbers here', 'bad');
			showNote('This is statsd’s own port. Live numbers come through wsfand’s port ' +
			    '(DUNE_LISTEN, 8080 unless it was changed):',
			    `${location.protocol}//${location.hostname}:8080${location.pathname}`);
			return;
		}
	} catch (error) {
		// Whoever answers the WebSocket may be there all the same.
	}
	connect();
}

begin();
