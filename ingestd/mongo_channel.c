/* SPDX-License-Identifier: MIT */
#include "ingestd/mongo_channel.h"

#include <pthread.h>
#include <time.h>

#include "lib/mem.h"

/* All under `lock`. `wake` is NULL when the loop's side has left. */
struct mongo_channel {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int holders;
	bool stopping, done;
	struct ev_loop *loop;
	ev_async *wake;
	struct mongo_batch *first, **last;
	size_t bytes;
	struct mongo_status status;
};

struct mongo_channel *
mongo_channel_new(struct ev_loop *loop, ev_async *wake)
{
	struct mongo_channel *channel = mem_zalloc(sizeof(*channel));
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&channel->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&channel->lock, NULL);
	channel->holders = 2;
	channel->loop = loop;
	channel->wake = wake;
	channel->last = &channel->first;
	ev_async_start(loop, wake);
	return channel;
}

/* Under the lock, which it gives back. */
static void
let_go(struct mongo_channel *channel)
{
	bool was_last = --channel->holders == 0;

	pthread_cond_broadcast(&channel->changed);
	pthread_mutex_unlock(&channel->lock);
	if (!was_last)
		return;
	while (channel->first) {
		struct mongo_batch *batch = channel->first;

		channel->first = batch->next;
		mongo_batch_free(&batch);
	}
	pthread_cond_destroy(&channel->changed);
	pthread_mutex_destroy(&channel->lock);
	MEM_FREE(&channel);
}

static struct timespec
deadline_in(unsigned ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

struct mongo_batch *
mongo_channel_take(struct mongo_channel *channel)
{
	struct mongo_batch *batch;

	pthread_mutex_lock(&channel->lock);
	batch = channel->first;
	if (batch) {
		channel->first = batch->next;
		if (!channel->first)
			channel->last = &channel->first;
		channel->bytes -= buf_length(&batch->events);
		pthread_cond_broadcast(&channel->changed);
	}
	pthread_mutex_unlock(&channel->lock);
	return batch;
}

void
mongo_batch_free(struct mongo_batch **batch)
{
	if (*batch)
		buf_free(&(*batch)->events);
	MEM_FREE(batch);
}

void
mongo_channel_status(struct mongo_channel *channel, struct mongo_status *status)
{
	pthread_mutex_lock(&channel->lock);
	*status = channel->status;
	pthread_mutex_unlock(&channel->lock);
}

void
mongo_channel_stop(struct mongo_channel *channel)
{
	pthread_mutex_lock(&channel->lock);
	channel->stopping = true;
	pthread_cond_broadcast(&channel->changed);
	pthread_mutex_unlock(&channel->lock);
}

bool
mongo_channel_wait(struct mongo_channel *channel, unsigned ms)
{
	struct timespec deadline = deadline_in(ms);
	bool done;

	pthread_mutex_lock(&channel->lock);
	while (!channel->done &&
	    pthread_cond_timedwait(&channel->changed, &channel->lock, &deadline) == 0)
		continue;
	done = channel->done;
	pthread_mutex_unlock(&channel->lock);
	return done;
}

void
mongo_channel_leave(struct mongo_channel **pointer)
{
	struct mongo_channel *channel = *pointer;

	*pointer = NULL;
	pthread_mutex_lock(&channel->lock);
	channel->stopping = true;
	ev_async_stop(channel->loop, channel->wake);
	channel->wake = NULL;
	let_go(channel);
}

static void
wake_loop(struct mongo_channel *channel)
{
	if (channel->wake)
		ev_async_send(channel->loop, channel->wake);
}

bool
mongo_channel_push(struct mongo_channel *channel, struct buf *events)
{
	struct mongo_batch *batch;
	bool stopping;

	pthread_mutex_lock(&channel->lock);
	while (!channel->stopping && channel->bytes >= CHANNEL_BYTES)
		pthread_cond_wait(&channel->changed, &channel->lock);
	stopping = channel->stopping;
	if (!stopping && buf_length(events) > 0) {
		batch = mem_zalloc(sizeof(*batch));
		batch->events = *events;
		buf_init(events, batch->events.max);
		*channel->last = batch;
		channel->last = &batch->next;
		channel->bytes += buf_length(&batch->events);
		wake_loop(channel);
	}
	pthread_mutex_unlock(&channel->lock);
	return !stopping;
}

bool
mongo_channel_stopping(struct mongo_channel *channel)
{
	bool stopping;

	pthread_mutex_lock(&channel->lock);
	stopping = channel->stopping;
	pthread_mutex_unlock(&channel->lock);
	return stopping;
}

bool
mongo_channel_sleep(struct mongo_channel *channel, unsigned ms)
{
	struct timespec deadline = deadline_in(ms);
	bool stopping;

	pthread_mutex_lock(&channel->lock);
	while (!channel->stopping &&
	    pthread_cond_timedwait(&channel->changed, &channel->lock, &deadline) == 0)
		continue;
	stopping = channel->stopping;
	pthread_mutex_unlock(&channel->lock);
	return !stopping;
}

struct mongo_status *
mongo_channel_lock(struct mongo_channel *channel)
{
	pthread_mutex_lock(&channel->lock);
	return &channel->status;
}

void
mongo_channel_unlock(struct mongo_channel *channel)
{
	wake_loop(channel);
	pthread_mutex_unlock(&channel->lock);
}

void
mongo_channel_done(struct mongo_channel **pointer)
{
	struct mongo_channel *channel = *pointer;

	*pointer = NULL;
	pthread_mutex_lock(&channel->lock);
	channel->done = true;
	let_go(channel);
}
