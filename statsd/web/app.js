// SPDX-License-Identifier: MIT
// The first page: the pipeline as it stands, from one server-sent event a second, and the forms.
import { spark } from './charts.js';
import { ask, at, bytes, count, duration, element, fit, isNumber, none, painter, rate, setNumber, setText, setTime, short,
	showState, speak } from './show.js';

const HISTORY = 180; // events, about as many seconds
const FORMS_EVERY_MS = 15000;
const RETRY_MS = 2000;

// What a node says. `main` is its large figure, of which the sparkline is drawn.
const NODES = [
	{ name: 'source', daemon: 'ingestd', title: 'Source', what: 'changes a second', main: (now) => now.rate('ingestd', 'events'),
		rows: [['Lag', (now) => duration(now.of('ingestd', 'lagSeconds'))]] },
	{ name: 'ingestd', daemon: 'ingestd', title: 'ingestd', what: 'committed a second', main: (now) => now.rate('ingestd', 'committed'),
		rows: [['Waiting', (now) => short(now.of('ingestd', 'waiting'))], ['Bytes', (now) => bytes(now.of('ingestd', 'waitingBytes'))]] },
	{ name: 'analyticsd', daemon: 'analyticsd', title: 'analyticsd', what: 'updates a second', main: (now) => now.rate('analyticsd', 'frames'),
		rows: [['Commit', (now) => duration(now.rate('analyticsd', 'commitSeconds') / now.rate('analyticsd', 'commits'))],
			['Forms held', (now) => short(now.of('analyticsd', 'formsInMemory'))]] },
	{ name: 'wsfand', daemon: 'wsfand', title: 'wsfand', what: 'messages a second', main: (now) => now.rate('wsfand', 'messages'),
		rows: [['Behind', (now) => short(now.of('wsfand', 'behind'))], ['Queued', (now) => bytes(now.of('wsfand', 'waitingBytes'))]] },
	{ name: 'browsers', daemon: 'wsfand', title: 'Browsers', what: 'viewers', main: (now) => now.pipeline.connections,
		rows: [['Forms', (now) => short(now.pipeline.rooms)]] },
];
const BESIDE = [
	{ name: 'statsd', daemon: 'statsd', title: 'statsd', what: 'requests a second', main: (now) => now.rate('statsd', 'requests'),
		rows: [['Daemons', (now) => short(now.of('statsd', 'reporters'))]] },
];
const ERRORS = [
	['ingestd', 'sourceErrors', 'Errors of the source'], ['ingestd', 'badLines', 'Lines that are no document'],
	['analyticsd', 'malformed', 'Responses that are malformed'], ['wsfand', 'badFrames', 'Frames that are none'],
	['wsfand', 'refused', 'Handshakes refused'], ['statsd', 'badReports', 'Reports that are none'],
];

// ---- two moments of the pipeline, and what lies between them ----

class Moment {
	constructor(pipeline, before) {
		this.pipeline = pipeline;
		this.before = before;
		this.at = Date.parse(pipeline.at);
		this.daemons = new Map(pipeline.daemons.map((daemon) => [daemon.name, daemon]));
	}
	of(daemon, key) {
		return this.daemons.get(daemon)?.figures?.[key];
	}
	// How much more than before; less means that the daemon has begun anew.
	more(daemon, key, before = this.before) {
		const value = this.of(daemon, key), old = before?.of(daemon, key);
		if (!isNumber(value) || !isNumber(old))
			return NaN;
		return value < old ? value : value - old;
	}
	rate(daemon, key) {
		return this.before ? (1000 * this.more(daemon, key)) / (this.at - this.before.at) : NaN;
	}
}

const history = [];
let now = null;
let titles = new Map();
let forms = null;

// The value below which a share of the last minutes' times lies, in seconds (as Prometheus' histogram_quantile()).
function quantile(part, stage) {
	const last = now.pipeline.freshness?.[stage], first = history[0].pipeline.freshness?.[stage];
	if (!last)
		return NaN;
	let counts = last.counts.map((value, i) => value - (first?.counts[i] ?? 0));
	if (counts.some((value) => value < 0))
		counts = last.counts;
	const sum = counts.reduce((a, b) => a + b, 0);
	let left = sum * part;
	for (let i = 0; sum > 0 && i < last.bounds.length; i++) {
		const low = i > 0 ? last.bounds[i - 1] : 0;
		if (counts[i] >= left)
			return low + ((last.bounds[i] - low) * left) / (counts[i] || 1);
		left -= counts[i];
	}
	return sum > 0 ? last.bounds.at(-1) : NaN;
}

// ---- drawing ----

function nodeOf(description) {
	const item = element('li', 'card node');
	item.dataset.name = description.name;
	const head = element('div', 'node-head');
	const parts = { description, item, status: element('span', 'status'), figure: element('strong', 'big'), spark: spark(HISTORY),
		values: description.rows.map(() => element('dd')) };
	head.append(element('h3', '', description.title), parts.status);
	const figureLine = element('p', 'node-figure');
	parts.figure.textContent = none;
	figureLine.append(parts.figure, element('span', 'soft', description.what));
	const rows = element('dl', 'node-rows');
	description.rows.forEach(([name], i) => {
		const group = element('div');
		group.append(element('dt', '', name), parts.values[i]);
		rows.append(group);
	});
	item.append(head, figureLine, parts.spark.node, rows);
	return parts;
}

const nodes = [...NODES.map(nodeOf), ...BESIDE.map(nodeOf)];
at('flow').append(...nodes.slice(0, NODES.length).map((node) => node.item));
at('beside').append(...nodes.slice(NODES.length).map((node) => node.item));

function statusOf(name, daemon) {
	if (!daemon)
		return ['unknown', 'wait'];
	if (name === 'source') {
		const [scanning, done, all] = ['scanning', 'scanned', 'toScan'].map((key) => daemon.figures?.[key]);
		if (!daemon.up)
			return ['unknown', 'wait'];
		if (scanning)
			return [all > 0 ? `reading, ${Math.min(99, Math.floor((100 * done) / all))} %` : 'reading', 'wait'];
		return daemon.figures?.sourceConnected ? ['followed', 'good'] : ['not connected', 'bad'];
	}
	if (name === 'browsers')
		return !daemon.up ? ['cut off', 'bad'] : now.pipeline.connections > 0 ? ['watching', 'good'] : ['none', 'wait'];
	return daemon.ok ? ['well', 'good'] : daemon.up ? ['unwell', 'bad'] : ['away', 'bad'];
}

function drawNode({ description, item, status, figure, values }) {
	const daemon = now.daemons.get(description.daemon);
	const [text, kind] = statusOf(description.name, daemon);
	const value = daemon?.up ? description.main(now) : NaN;
	setText(status, text);
	status.className = `status ${kind}`;
	item.title = daemon?.instances.map((one) => `${one.name} ${one.version}, pid ${one.pid}`).join('\n') ?? '';
	setText(figure, rate(value));
	item.classList.toggle('busy', value > 0);
	description.rows.forEach(([, told], i) => setText(values[i], daemon?.up ? told(now) : none));
}

function drawProblems() {
	const bad = now.pipeline.daemons.filter((daemon) => !daemon.ok);
	const items = fit(at('problems'), bad.length, () => {
		const item = element('li', 'card');
		item.append(element('strong'), element('span'), element('time', 'soft'));
		return item;
	});
	bad.forEach((daemon, i) => {
		const [name, why, since] = items[i].children;
		setText(name, daemon.name);
		setText(why, daemon.why);
		setTime(since, daemon.since);
	});
	const rows = ERRORS.map(([daemon, key, text]) => [text, now.of(daemon, key), now.more(daemon, key, history[0])])
		.filter((row) => row[1] > 0);
	drawRows(at('error-rows'), rows.map(([text, all, lately]) => [text, count(all), lately > 0 ? `+${count(lately)}` : none]));
	at('error-table').hidden = rows.length === 0;
	at('error-note').hidden = rows.length > 0 || bad.length > 0;
}

function drawRows(body, rows, link) {
	const lines = fit(body, rows.length, () => {
		const line = element('tr');
		for (let i = 0; i < 3; i++)
			line.append(element('td', i > 0 ? 'number' : ''));
		if (link)
			line.firstChild.append(element('a'));
		return line;
	});
	rows.forEach((row, i) => {
		row.slice(0, 3).forEach((text, column) => {
			const cell = lines[i].children[column];
			setText(link && column === 0 ? cell.firstChild : cell, text);
		});
		if (link)
			lines[i].firstChild.firstChild.href = `/forms/${encodeURIComponent(row[3])}${location.search}`;
	});
}

// The forms that are watched most, and behind them those that are known.
function drawForms() {
	const watched = now?.pipeline.topRooms ?? [];
	const clients = new Map(watched.map((room) => [room.formId, room.clients]));
	const known = (forms ?? []).filter((form) => !clients.has(form.formId));
	const totals = new Map((forms ?? []).map((form) => [form.formId, form.totalResponses]));
	const rows = [...watched.map((room) => room.formId), ...known.map((form) => form.formId)].map((id) =>
		[titles.get(id) || id, count(totals.get(id)), count(clients.get(id) ?? 0), id]);
	drawRows(at('room-rows'), rows, true);
	at('room-table').hidden = rows.length === 0;
	at('room-note').hidden = rows.length > 0;
}

const drawSoon = painter(() => {
	if (!now)
		return;
	nodes.forEach(drawNode);
	setNumber(at('clients'), count(now.pipeline.connections));
	setNumber(at('rooms'), count(now.pipeline.rooms));
	for (const [id, part] of [['p50', 0.5], ['p99', 0.99]]) {
		const seconds = quantile(part, 'sent');
		setText(at(id), duration(seconds));
		at(id).title = isNumber(seconds) ? 'From the change in the source to the socket of a viewer, in the last minutes' :
			'No event of the last minutes said when it was made';
	}
	const sent = now.rate('wsfand', 'bytes');
	setText(at('sent'), isNumber(sent) ? `${bytes(sent)}/s` : none);
	drawProblems();
	drawForms();
	document.body.classList.add('drawn');
	const text = now.pipeline.ready ? 'All is well' : 'Not ready';
	if (at('state').textContent !== text)
		speak(`The pipeline: ${text}.`, true);
	showState(text, now.pipeline.ready ? 'good' : 'bad');
	setText(at('note'), '');
});

// ---- what comes ----

function take(pipeline) {
	now = new Moment(pipeline, history.at(-1));
	if (now.before && now.at <= now.before.at)
		return;
	now.before = history.at(-1);
	history.push(now);
	if (history.length > HISTORY) {
		history.shift();
		history[0].before = undefined;
	}
	for (const node of nodes)
		node.spark.push(now.daemons.get(node.description.daemon)?.up ? node.description.main(now) : 0);
	drawSoon();
}

let source = null;
let timer = null;

function follow() {
	clearTimeout(timer);
	source?.close();
	source = new EventSource('/api/pipeline/events');
	source.onmessage = (event) => take(JSON.parse(event.data));
	source.onerror = () => {
		document.body.classList.add('drawn');
		showState(now ? 'Reconnecting…' : 'Connecting…', 'bad');
		setText(at('note'), `${now ? 'What is shown is from before: ' : ''}statsd does not answer.`);
		speak('statsd does not answer.', true);
		// The browser tries again by itself only where there was an answer.
		source.close();
		timer = setTimeout(follow, RETRY_MS * (0.5 + Math.random()));
	};
}

function visible() {
	if (document.hidden) {
		clearTimeout(timer);
		source?.close();
		source = null;
	} else if (!source || source.readyState === EventSource.CLOSED) {
		follow();
	}
}

async function readForms() {
	const token = new URLSearchParams(location.search).get('token');
	const list = await ask('/api/forms?limit=50', token);
	if (!Array.isArray(list))
		return;
	forms = list.filter((form) => form && /^[0-9a-f]{24}$/i.test(form.formId));
	titles = new Map(forms.map((form) => [form.formId, typeof form.title === 'string' ? form.title : '']));
	drawSoon();
	setTimeout(readForms, FORMS_EVERY_MS);
}

at('open').addEventListener('submit', (event) => {
	event.preventDefault();
	location.assign(`/forms/${encodeURIComponent(at('form-id').value.trim())}${location.search}`);
});
document.addEventListener('visibilitychange', visible);
follow();
readForms();
