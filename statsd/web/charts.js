// SPDX-License-Identifier: MIT
// The charts: bars, a histogram, a scale, a line over days, words by size, and sparklines. HTML where that will do, SVG
// elsewhere. Each is made once and then drawn again and again into the same nodes.
import { count, element, figure, fit, setText, share } from './show.js';

const SVG = 'http://www.w3.org/2000/svg';
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const dayText = (date) => {
	const time = Date.parse(date);
	return Number.isFinite(time) ? day.format(time) : String(date);
};

function svg(name, attributes = {}, ...children) {
	const node = document.createElementNS(SVG, name);
	for (const [key, value] of Object.entries(attributes))
		node.setAttribute(key, value);
	node.append(...children);
	return node;
}

function set(node, attributes) {
	for (const [key, value] of Object.entries(attributes)) {
		if (node.getAttribute(key) !== String(value))
			node.setAttribute(key, value);
	}
}

// ---- bars: [label, count] ----

const BARS = 12;

export function bars() {
	const list = element('ul', 'bars');
	const more = element('button', 'more');
	let open = false, again = () => {};
	more.type = 'button';
	more.addEventListener('click', () => {
		open = !open;
		again();
	});
	function make() {
		const item = element('li');
		const track = element('span', 'track');
		track.append(element('span', 'fill'));
		item.append(element('bdi', 'name'), element('span', 'count'), track);
		return item;
	}
	function draw(rows, whole) {
		again = () => draw(rows, whole);
		const most = Math.max(1, ...rows.map((row) => row[1]));
		// As the form has them; where there are many, the longest first.
		const shown = rows.length > BARS ? [...rows].sort((a, b) => b[1] - a[1]).slice(0, open ? rows.length : BARS) : rows;
		const items = fit(list, shown.length, make);
		shown.forEach(([name, value], i) => {
			const [label, number, track] = items[i].children;
			if (setText(label, name))
				label.title = name;
			setText(number, `${count(value)} · ${share(whole ? value / whole : 0)}`);
			track.firstChild.style.width = `${(100 * value) / most}%`;
			items[i].classList.toggle('most', value === most && value > 0);
		});
		more.hidden = rows.length <= BARS;
		setText(more, open ? 'Show fewer' : `Show all ${count(rows.length)}`);
		more.setAttribute('aria-expanded', String(open));
	}
	const node = element('div');
	node.append(list, more);
	return { node, draw };
}

// ---- a histogram of numbers, with the mean and the median on it ----

const COLUMNS = 24; // and no more
const COUNTED = 12; // so many columns have their counts above them

// 1, 2 or 5 times a power of ten, so that at most COLUMNS of them cover the span.
function niceWidth(span) {
	const power = 10 ** Math.floor(Math.log10(span / COLUMNS));
	return power * [1, 2, 5, 10].find((step) => span / (power * step) <= COLUMNS);
}

// Columns of one width over all there is between: { first, width, counts, whole }. Whole numbers stand in the middle of theirs.
function columnsOf(rows, [low, high]) {
	const whole = rows.every(([value]) => Number.isInteger(value)) && high - low < COLUMNS;
	const width = whole ? 1 : high > low ? niceWidth(high - low) : 1;
	const first = whole ? low : Math.floor(low / width);
	const place = (value) => (whole ? value : Math.floor(value / width + 1e-9)) - first;
	const counts = new Array(place(high) + 1).fill(0);
	for (const [value, n] of rows)
		counts[place(value)] += n;
	return { first, width, counts, whole };
}

export function histogram() {
	const node = element('div', 'histogram');
	const list = element('ul'), ticks = element('div', 'ticks');
	const mean = element('span', 'mark mean'), median = element('span', 'mark median');
	ticks.setAttribute('aria-hidden', 'true');
	node.append(list, mean, median, ticks);
	function make() {
		const item = element('li');
		item.append(element('span', 'name'), element('span', 'count'), element('span', 'column'));
		return item;
	}
	// `range`: what it spans at least where all values are whole numbers.
	function draw(field, range) {
		const rows = Object.entries(field.distribution).map(([value, n]) => [Number(value), n])
			.filter((row) => row.every(Number.isFinite));
		const values = rows.map((row) => row[0]);
		const inside = range[1] - range[0] < COLUMNS && values.every((value) => value >= range[0] && value <= range[1]);
		const { first, width, counts, whole } = columnsOf(rows, inside ? range : [Math.min(...values), Math.max(...values)]);
		const most = Math.max(1, ...counts), all = counts.reduce((sum, n) => sum + n, 0);
		const left = (i) => (first + i) * width;
		const name = (i) => (whole ? figure(first + i) : `${figure(left(i))} – ${figure(left(i + 1))}`);
		const items = fit(list, counts.length, make);
		counts.forEach((n, i) => {
			const [label, number, column] = items[i].children;
			setText(number, count(n));
			setText(label, name(i));
			number.style.bottom = column.style.height = `${(82 * n) / most}%`;
			items[i].title = `${name(i)}: ${count(n)}, ${share(all ? n / all : 0)}`;
			items[i].classList.toggle('most', n === most);
		});
		node.classList.toggle('dense', counts.length > COUNTED);
		const place = (value) => `${Math.min(100, Math.max(0, (100 * (value / width - first + (whole ? 0.5 : 0))) / counts.length))}%`;
		mean.style.left = place(field.average);
		median.hidden = !Number.isFinite(field.median);
		median.style.left = place(field.median);
		const step = Math.ceil((counts.length + (whole ? 0 : 1)) / (counts.length > COUNTED ? 5 : COUNTED));
		const marks = [];
		for (let i = 0; i < counts.length + (whole ? 0 : 1); i += step)
			marks.push(whole ? first + i : left(i));
		const texts = fit(ticks, marks.length, () => element('span'));
		marks.forEach((value, i) => {
			setText(texts[i], figure(value));
			texts[i].style.left = place(value);
		});
	}
	return { node, draw };
}

// ---- a scale with the mean and the median on it ----

export function scale() {
	const node = element('div', 'scale');
	const track = element('div', 'scale-track');
	const fill = element('span', 'scale-fill');
	const median = element('span', 'scale-median'), mean = element('span', 'scale-mean');
	const ends = element('div', 'scale-ends');
	track.append(fill, median, mean);
	node.append(track, ends);
	node.setAttribute('role', 'img');
	function draw(field, low, high) {
		const place = (value) => `${Math.min(100, Math.max(0, (100 * (value - low)) / (high - low || 1)))}%`;
		fill.style.width = place(field.average);
		mean.style.left = place(field.average);
		median.hidden = !Number.isFinite(field.median);
		median.style.left = place(field.median);
		median.title = `median ${figure(field.median)}`;
		mean.title = `mean ${figure(field.average)}`;
		const whole = Number.isInteger(low) && Number.isInteger(high) && high - low <= 10;
		const labels = whole ? Array.from({ length: high - low + 1 }, (_, i) => low + i) : [low, high];
		const items = fit(ends, labels.length, () => element('span'));
		labels.forEach((value, i) => setText(items[i], figure(value)));
		set(node, { 'aria-label': `On a scale from ${figure(low)} to ${figure(high)}: mean ${figure(field.average)}, ` +
			`median ${figure(field.median)}` });
	}
	return { node, draw };
}

// ---- the mean of each day, and how many answered ----

const WIDE = 300, HIGH = 80, TOP = 6, FLOOR = 62;
let gradients = 0;

export function trend() {
	const node = element('figure', 'trend');
	const caption = element('figcaption');
	const gradient = `trend-${gradients++}`;
	const area = svg('path', { class: 'area', fill: `url(#${gradient})` });
	const line = svg('path', { class: 'line' });
	const columnsPath = svg('path', { class: 'volume' });
	const guide = svg('path', { class: 'guide' });
	const picture = svg('svg', { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: 'none', role: 'img', tabindex: 0 },
		svg('defs', {}, svg('linearGradient', { id: gradient, x1: 0, y1: 0, x2: 0, y2: 1 },
			svg('stop', { offset: 0, class: 'stop-top' }), svg('stop', { offset: 1, class: 'stop-end' }))),
		columnsPath, area, line, guide);
	const dot = element('span', 'dot');
	const bounds = [element('span', 'bound'), element('span', 'bound')];
	const frame = element('div', 'trend-frame');
	frame.append(picture, dot, ...bounds);
	node.append(frame, caption);

	let days = [], places = [], chosen = -1;
	function point(index) {
		chosen = index;
		const last = days.length - 1;
		const [x, y] = places[index < 0 ? last : index];
		dot.style.left = `${(100 * x) / WIDE}%`;
		dot.style.top = `${(100 * y) / HIGH}%`;
		set(guide, { d: index < 0 ? '' : `M${x} 0V${HIGH}` });
		const { date, value, count: n } = days[index < 0 ? last : index];
		setText(caption, index < 0 ? `Mean by day, ${dayText(days[0].date)} – ${dayText(date)}` :
			`${dayText(date)}: ${figure(value)}, ${count(n)} ${n === 1 ? 'answer' : 'answers'}`);
	}
	picture.addEventListener('pointermove', (event) => {
		const box = picture.getBoundingClientRect();
		const x = ((event.clientX - box.left) / box.width) * WIDE;
		let best = 0;
		places.forEach(([place], i) => {
			if (Math.abs(place - x) < Math.abs(places[best][0] - x))
				best = i;
		});
		point(best);
	});
	picture.addEventListener('pointerleave', () => point(-1));
	picture.addEventListener('blur', () => point(-1));
	picture.addEventListener('keydown', (event) => {
		const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
		if (!step)
			return;
		event.preventDefault();
		point(Math.min(days.length - 1, Math.max(0, (chosen < 0 ? days.length - 1 : chosen) + step)));
	});

	function draw(data) {
		days = data;
		const values = days.map((one) => one.value);
		const low = Math.min(...values), high = Math.max(...values), most = Math.max(1, ...days.map((one) => one.count || 0));
		const step = WIDE / Math.max(1, days.length - 1);
		places = days.map((one, i) => [days.length === 1 ? WIDE / 2 : i * step,
			high === low ? (TOP + FLOOR) / 2 : FLOOR - ((FLOOR - TOP) * (one.value - low)) / (high - low)]);
		const ends = days.length === 1 ? [[0, places[0][1]], [WIDE, places[0][1]]] : places;
		const path = ends.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
		for (const [i, value, y] of [[0, high, high === low ? (TOP + FLOOR) / 2 : TOP], [1, low, FLOOR]]) {
			setText(bounds[i], figure(value));
			bounds[i].style.top = `${(100 * y) / HIGH}%`;
		}
		bounds[1].hidden = high === low;
		set(line, { d: path });
		set(area, { d: `${path}L${WIDE} ${HIGH}L0 ${HIGH}Z` });
		const width = Math.min(8, step * 0.6);
		set(columnsPath, { d: places.map(([x], i) => {
			const left = Math.min(WIDE - width, Math.max(0, x - width / 2));
			return `M${left.toFixed(1)} ${HIGH}v${(-14 * (days[i].count || 0) / most).toFixed(1)}h${width.toFixed(1)}V${HIGH}Z`;
		}).join('') });
		set(picture, { 'aria-label': `Mean by day, ${dayText(days[0].date)} to ${dayText(days.at(-1).date)}: ` +
			`lowest ${figure(low)}, highest ${figure(high)}, last ${figure(values.at(-1))}` });
		point(chosen < days.length ? chosen : -1);
	}
	return { node, draw };
}

// ---- words, sized by how often ----

export function words() {
	const node = element('ul', 'words');
	function draw(keywords) {
		const most = Math.max(1, ...keywords.map((word) => word.count));
		const least = Math.min(most, ...keywords.map((word) => word.count));
		// Counts that hardly differ are not to look as if they did.
		const spread = Math.min(1, 2 * (1 - least / most));
		const items = fit(node, keywords.length, () => {
			const item = element('li');
			item.append(element('bdi'), element('small'));
			return item;
		});
		keywords.forEach((word, i) => {
			const [name, number] = items[i].children;
			if (setText(name, word.keyword))
				name.title = word.keyword;
			setText(number, count(word.count));
			// The area of a word grows with its count, seen from the least common of them.
			items[i].style.fontSize = `${(0.9 + 1.1 * Math.sqrt((word.count - least) / Math.max(1, most - least)) * spread).toFixed(2)}rem`;
		});
	}
	return { node, draw };
}

// ---- a sparkline: the last values of something, newest at the right ----

export function spark(length) {
	const line = svg('path', { class: 'line' }), area = svg('path', { class: 'area' });
	const node = svg('svg', { class: 'spark', viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, area, line);
	const values = [];
	function push(value) {
		if (!Number.isFinite(value))
			return;
		values.push(Math.max(0, value));
		if (values.length > length)
			values.shift();
		const most = Math.max(1e-9, ...values);
		// The first ones fill it soon; then it grows denser up to its length.
		const step = 100 / (Math.max(values.length, length / 12) - 1), left = 100 - (values.length - 1) * step;
		const path = values.map((one, i) => `${i ? 'L' : 'M'}${(left + i * step).toFixed(2)} ${(22 - (20 * one) / most).toFixed(2)}`).join('');
		set(line, { d: values.length > 1 ? path : '' });
		set(area, { d: values.length > 1 ? `${path}V24H${left.toFixed(2)}Z` : '' });
	}
	return { node, push };
}
