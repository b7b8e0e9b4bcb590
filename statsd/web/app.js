// SPDX-License-Identifier: MIT
// The first page: how the daemons stand and which forms are watched, asked for every 2 seconds.
const INTERVAL_MS = 2000;
const ROWS = 200;
const number = new Intl.NumberFormat();
const at = (id) => document.getElementById(id);

function element(name, text, className) {
	const made = document.createElement(name);
	if (text !== undefined)
		made.textContent = text;
	if (className)
		made.className = className;
	return made;
}

function showState(text, kind) {
	const state = at('state');
	if (state.textContent !== text)
		state.textContent = text;
	state.className = `state ${kind}`;
}

function daemonCard(daemon) {
	const card = element('li');
	card.append(element('h3', daemon.name));
	card.append(element('p', daemon.ok ? 'well' : daemon.up ? 'unwell' : 'not reporting',
	    daemon.ok ? 'good-text' : 'bad-text'));
	if (!daemon.ok)
		card.append(element('p', `${daemon.why}, since ${new Date(daemon.since).toLocaleString()}`));
	for (const instance of daemon.instances)
		card.append(element('p', `${instance.name} ${instance.version}, pid ${instance.pid}, ` +
		    `since ${new Date(instance.startedAt).toLocaleString()}`, 'soft'));
	return card;
}

function showPipeline(pipeline) {
	at('daemons').replaceChildren(...pipeline.daemons.map(daemonCard));
	showState(pipeline.ready ? 'All is well' : 'Not ready', pipeline.ready ? 'good' : 'bad');
}

function roomRow([form, clients]) {
	const row = element('tr');
	const link = element('a', form);
	link.href = `/forms/${encodeURIComponent(form)}`;
	const cell = element('td');
	cell.append(link);
	row.append(cell, element('td', number.format(clients), 'number'));
	return row;
}

function showStats(stats) {
	at('clients').textContent = number.format(stats.totalConnections);
	at('rooms').textContent = number.format(stats.totalRooms);
	at('waiting').textContent = number.format(stats.channelUsage.broadcast);
	const rooms = Object.entries(stats.roomStats)
	    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
	at('room-rows').replaceChildren(...rooms.slice(0, ROWS).map(roomRow));
	at('room-table').hidden = rooms.length === 0;
	at('room-note').hidden = rooms.length > 0 && rooms.length <= ROWS;
	at('room-note').textContent = rooms.length === 0 ? 'Nobody watches a form now.' :
	    `and ${number.format(rooms.length - ROWS)} more`;
}

async function json(path) {
	const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(5000) });
	if (!answer.ok)
		throw new Error(`${path}: ${answer.status}`);
	return answer.json();
}

async function turn() {
	try {
		const [pipeline, stats] = await Promise.all([json('/api/pipeline'), json('/api/ws/stats')]);
		showPipeline(pipeline);
		showStats(stats);
	} catch (error) {
		showState('statsd does not answer', 'bad');
	}
	setTimeout(turn, INTERVAL_MS);
}

at('open').addEventListener('submit', (event) => {
	event.preventDefault();
	location.assign(`/forms/${encodeURIComponent(at('form-id').value.trim())}`);
});
turn();
