// SPDX-License-Identifier: MIT
// The first page: the pipeline as it stands, from one server-sent event a second, and the forms.
import { spark } from './charts.js';
import { ask, at, bytes, count, duration, element, fit, isNumber, none, painter, rate, setNumber, setText, setTime, share, short,
	showState, speak } from './show.js';

const HISTORY = 180; // events, about as many seconds
const MINUTE = 60;
const FORMS_EVERY_MS = 15000;
const RETRY_MS = 2000;

const CUT = 'not connected';
const up = (name) => ['Up for', (now) => duration(now.upFor(name))];
const scan = (now) => {
	const [scanning, done, all] = ['scanning', 'scanned', 'toScan'].map((key) => now.of('ingestd', key));
	return !scanning ? none : all > 0 ? share(Math.min(0.99, Math.floor((100 * done) / all) / 100)) : short(done);
};

// The picture: who stands where, and what flows from each to the next. `daemon` is whose figures they are.
const NODES = [
	{ name: 'source', daemon: 'ingestd', title: 'Source',
		rows: [['Errors', (now) => short(now.of('ingestd', 'sourceErrors'))], ['Read so far', scan]] },
	{ name: 'ingestd', daemon: 'ingestd', title: 'ingestd',
		rows: [up('ingestd'), ['Events', (now) => short(now.of('ingestd', 'events'))]] },
	{ name: 'analyticsd', daemon: 'analyticsd', title: 'analyticsd',
		rows: [up('analyticsd'), ['Commit', (now) => duration(now.rate('analyticsd', 'commitSeconds') / now.rate('analyticsd', 'commits'))]] },
	{ name: 'wsfand', daemon: 'wsfand', title: 'wsfand',
		rows: [up('wsfand'), ['Refused', (now) => short(now.of('wsfand', 'refused'))]] },
	{ name: 'browsers', daemon: 'wsfand', title: 'Browsers',
		rows: [['Viewers', (now) => short(now.pipeline.connections)], ['Forms', (now) => short(now.pipeline.rooms)]] },
	{ name: 'statsd', daemon: 'statsd', title: 'statsd',
		rows: [up('statsd'), ['Daemons that report', (now) => short(now.of('statsd', 'reporters'))],
			['Requests a second', (now) => rate(now.rate('statsd', 'requests'))]] },
];
const EDGES = [
	{ to: 'ingestd', daemon: 'ingestd', what: 'events', flow: (now) => now.rate('ingestd', 'events'),
		waits: (now) => `${duration(now.of('ingestd', 'lagSeconds'))} behind` },
	{ to: 'analyticsd', daemon: 'ingestd', what: 'commits', flow: (now) => now.rate('ingestd', 'committed'),
		waits: (now) => `${short(now.of('ingestd', 'waiting'))} waiting, ${bytes(now.of('ingestd', 'waitingBytes'))}` },
	{ to: 'wsfand', daemon: 'analyticsd', what: 'frames', flow: (now) => now.rate('analyticsd', 'frames'),
		waits: (now) => (now.of('wsfand', 'producers') === 0 ? CUT : `${short(now.of('analyticsd', 'waiting'))} to commit`) },
	{ to: 'browsers', daemon: 'wsfand', what: 'messages', flow: (now) => now.rate('wsfand', 'messages'),
		waits: (now) => `${short(now.of('wsfand', 'behind'))} behind, ${bytes(now.of('wsfand', 'waitingBytes'))}` },
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
	// Of several instances the one that began last: a daemon that falls again and again is never up for long.
	upFor(daemon) {
		const began = this.daemons.get(daemon)?.instances.filter((one) => one.up).map((one) => Date.parse(one.startedAt)) ?? [];
		return began.length > 0 ? Math.max(0, Math.round((this.at - Math.max(...began)) / 1000)) : NaN;
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
	const parts = { description, item, status: element('span', 'status'), values: description.rows.map(() => element('dd')) };
	head.append(element('h3', '', description.title), parts.status);
	const rows = element('dl', 'node-rows');
	description.rows.forEach(([name], i) => {
		const group = element('div');
		group.append(element('dt', '', name), parts.values[i]);
		rows.append(group);
	});
	item.append(head, rows);
	return parts;
}

function edgeOf(description) {
	const item = element('li', 'edge');
	item.dataset.to = description.to;
	const parts = { description, item, figure: element('strong', '', none), spark: spark(MINUTE), waits: element('span', 'waits', none) };
	const figureLine = element('p', 'flow-figure');
	figureLine.append(parts.figure, element('span', 'soft', ` ${description.what}/s`));
	item.append(figureLine, parts.spark.node, element('span', 'arrow'), parts.waits);
	return parts;
}

const nodes = NODES.map(nodeOf), edges = EDGES.map(edgeOf);
const trends = new Map(['clients', 'p50', 'p99', 'sent'].map((id) => [id, spark(HISTORY)]));
for (const node of nodes)
	at(node.description.name === 'statsd' ? 'beside' : 'flow').append(node.item);
for (const edge of edges)
	at('flow').querySelector(`[data-name="${edge.description.to}"]`).before(edge.item);
for (const [id, trend] of trends) {
	const place = element('dd', 'drawn');
	place.append(trend.node);
	at(id).parentElement.append(place);
}

function statusOf(name, daemon) {
	if (!daemon)
		return ['unknown', 'wait'];
	if (name === 'source') {
		if (!daemon.up)
			return ['unknown', 'wait'];
		if (daemon.figures?.scanning)
			return ['reading', 'wait'];
		return daemon.figures?.sourceConnected ? ['followed', 'good'] : ['not connected', 'bad'];
	}
	if (name === 'browsers')
		return !daemon.up ? ['cut off', 'bad'] : now.pipeline.connections > 0 ? ['watching', 'good'] : ['none', 'wait'];
	return daemon.ok ? ['well', 'good'] : daemon.up ? ['unwell', 'bad'] : ['away', 'bad'];
}

function drawNode({ description, item, status, values }) {
	const daemon = now.daemons.get(description.daemon);
	const [text, kind] = statusOf(description.name, daemon);
	setText(status, text);
	status.className = `status ${kind}`;
	item.title = daemon?.instances.map((one) => `${one.name} ${one.version}, pid ${one.pid}`).join('\n') ?? '';
	description.rows.forEach(([, told], i) => setText(values[i], daemon?.up ? told(now) : none));
}

function drawEdge({ description, item, figure, waits }) {
	const alive = now.daemons.get(description.daemon)?.up;
	const flow = alive ? description.flow(now) : NaN;
	setText(figure, rate(flow));
	// A number and its unit stay together.
	setText(waits, alive ? description.waits(now).replace(/(\d) /g, '$1\u00a0') : none);
	item.classList.toggle('busy', flow > 0);
	item.classList.toggle('cut', !alive || description.waits(now) === CUT);
}

// What the large figures are, as numbers: drawn, and kept for their sparklines.
const FIGURES = { clients: () => now.pipeline.connections, p50: () => quantile(0.5, 'sent'), p99: () => quantile(0.99, 'sent'),
	sent: () => now.rate('wsfand', 'bytes') };

function drawFigures() {
	setNumber(at('clients'), count(FIGURES.clients()));
	const { rooms } = now.pipeline;
	setText(at('rooms'), `on ${count(rooms)} ${rooms === 1 ? 'form' : 'forms'}`);
	for (const id of ['p50', 'p99'])
		setText(at(id), duration(FIGURES[id]()));
	for (const node of document.querySelectorAll('.fresh-note'))
		setText(node, isNumber(FIGURES.p50()) ? 'from the change to the viewer' : 'no change told when it was made');
	const sent = FIGURES.sent();
	setText(at('sent'), isNumber(sent) ? `${bytes(sent)}/s` : none);
	setText(at('messages'), `${rate(now.rate('wsfand', 'messages'))} messages a second`);
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
	edges.forEach(drawEdge);
	drawFigures();
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
	const moment = new Moment(pipeline, history.at(-1));
	if (moment.at === moment.before?.at)
		return;
	// They come in order: the server's clock was set back, and what was before is of no use for rates.
	if (moment.at < moment.before?.at) {
		history.length = 0;
		moment.before = undefined;
	}
	now = moment;
	history.push(now);
	if (history.length > HISTORY) {
		history.shift();
		history[0].before = undefined;
	}
	for (const { description, spark: line } of edges)
		line.push(now.daemons.get(description.daemon)?.up ? description.flow(now) : 0);
	for (const [id, line] of trends)
		line.push(FIGURES[id]());
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
	setTimeout(readForms, FORMS_EVERY_MS);
	// While nobody answers, those that are known stay.
	if (!Array.isArray(list))
		return;
	forms = list.filter((form) => form && /^[0-9a-f]{24}$/i.test(form.formId));
	titles = new Map(forms.map((form) => [form.formId, typeof form.title === 'string' ? form.title : '']));
	drawSoon();
}

at('open').addEventListener('submit', (event) => {
	event.preventDefault();
	location.assign(`/forms/${encodeURIComponent(at('form-id').value.trim())}${location.search}`);
});
document.addEventListener('visibilitychange', visible);
follow();
readForms();
