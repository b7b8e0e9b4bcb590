// SPDX-License-Identifier: MIT
// Words, numbers and times for people, and the few things that both pages do with the document.
const number = new Intl.NumberFormat();
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const percentage = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const SPEAK_EVERY_MS = 20000;
const ASK_WITHIN_MS = 10000;

export const none = '–';
export const at = (id) => document.getElementById(id);
export const isNumber = Number.isFinite;

export function element(name, className, text) {
	const made = document.createElement(name);
	if (className)
		made.className = className;
	if (text !== undefined)
		made.textContent = text;
	return made;
}

// True: it was something else before.
export function setText(node, text) {
	if (node.textContent === text)
		return false;
	node.textContent = text;
	return true;
}

// A number that changes lights up for a moment; style.css knows who does not want that.
export function setNumber(node, text) {
	const first = node.textContent === none;
	if (setText(node, text) && !first && !node.classList.contains('changed')) {
		node.classList.add('changed');
		setTimeout(() => node.classList.remove('changed'), 900);
	}
}

export const count = (value) => (isNumber(value) ? number.format(value) : none);
export const short = (value) => (!isNumber(value) ? none : value < 10000 ? number.format(value) : compact.format(value));
export const figure = (value) => (isNumber(value) ? decimal.format(value) : none);
export const share = (value) => (isNumber(value) ? percentage.format(value) : none);

export function rate(value) {
	return isNumber(value) ? number.format(value < 10 ? Math.round(value * 10) / 10 : Math.round(value)) : none;
}

export function bytes(value) {
	if (!isNumber(value))
		return none;
	const step = value < 1000 ? 0 : value < 1e6 ? 1 : value < 1e9 ? 2 : 3;
	return `${decimal.format(Math.round((value / 1000 ** step) * 10) / 10)} ${['B', 'kB', 'MB', 'GB'][step]}`;
}

export function duration(seconds) {
	if (!isNumber(seconds))
		return none;
	if (seconds < 0.001)
		return `${decimal.format(seconds * 1000)} ms`;
	if (seconds < 1)
		return `${number.format(Math.round(seconds * 1000))} ms`;
	if (seconds < 120)
		return `${decimal.format(Math.round(seconds * 10) / 10)} s`;
	if (seconds < 7200)
		return `${number.format(Math.round(seconds / 60))} min`;
	return `${decimal.format(Math.round(seconds / 360) / 10)} h`;
}

export function ago(time) {
	const seconds = Math.round((time - Date.now()) / 1000);
	const most = Math.abs(seconds);
	if (seconds > -2 && seconds < 60)
		return 'just now';
	if (most < 60)
		return relative.format(seconds, 'second');
	if (most < 3600)
		return relative.format(Math.round(seconds / 60), 'minute');
	if (most < 86400)
		return relative.format(Math.round(seconds / 3600), 'hour');
	return relative.format(Math.round(seconds / 86400), 'day');
}

// A <time> that says how long ago, and when exactly if one points at it.
export function setTime(node, value, otherwise = none) {
	const time = Date.parse(value);
	if (!isNumber(time)) {
		node.removeAttribute('datetime');
		node.removeAttribute('title');
		setText(node, otherwise);
		return;
	}
	const iso = new Date(time).toISOString();
	if (node.dateTime !== iso) {
		node.dateTime = iso;
		node.title = exact.format(time);
	}
	setText(node, ago(time));
}

setInterval(() => {
	for (const node of document.querySelectorAll('time[datetime]'))
		setText(node, ago(Date.parse(node.dateTime)));
}, 1000);

export function showState(text, kind) {
	setText(at('state'), text);
	at('state').className = `state ${kind}`;
	document.body.dataset.state = kind;
}

// For those who listen: what is new is said at once, numbers only now and then.
let spokenAt = 0;
export function speak(text, atOnce) {
	const now = Date.now();
	if (!atOnce && now - spokenAt < SPEAK_EVERY_MS)
		return;
	spokenAt = now;
	setText(at('speech'), text);
}

// At most once per frame of the screen, however often it is asked for.
export function painter(paint) {
	let asked = false;
	return () => {
		if (asked)
			return;
		asked = true;
		requestAnimationFrame(() => {
			asked = false;
			paint();
		});
	};
}

// JSON from an address, or null where that has none for us, or not in time.
export async function ask(path, token) {
	try {
		const answer = await fetch(path, { cache: 'no-store', headers: token ? { Authorization: `Bearer ${token}` } : {},
			signal: AbortSignal.timeout(ASK_WITHIN_MS) });
		return answer.ok ? await answer.json() : null;
	} catch {
		return null;
	}
}

// Children of a list, as many as wanted; those that are there already stay.
export function fit(list, length, make) {
	while (list.children.length > length)
		list.lastElementChild.remove();
	while (list.children.length < length)
		list.append(make());
	return list.children;
}
