/* Argon2id through libsodium (19 MiB, two passes: about 20 to 80 ms). Jobs go
 * to the threads through a queue under a mutex and come back through a second
 * one, with an eventfd to wake the loop. */
#include "server/engine/work.h"

#include <assert.h>
#include <event2/event.h>
#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WORK_OPSLIMIT = 2, WORK_MEMLIMIT = 19 << 20 };

struct job_list {
	struct work_job *head;
	struct work_job **tail;
	size_t n;
};

struct work {
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct job_list waiting, finished;
	pthread_t threads[WORK_THREADS];
	bool started, stopping;
	int event_fd;
	struct event *event;
	char nobody[crypto_pwhash_STRBYTES];
};

static void list_init(struct job_list *list)
{
	*list = (struct job_list){ .tail = &list->head };
}

static void list_push(struct job_list *list, struct work_job *job)
{
	job->next = NULL;
	*list->tail = job;
	list->tail = &job->next;
	list->n++;
}

static struct work_job *list_pop(struct job_list *list)
{
	struct work_job *job = list->head;
	if (job == NULL)
		return NULL;
	list->head = job->next;
	if (list->head == NULL)
		list->tail = &list->head;
	list->n--;
	return job;
}

static void run(struct work_job *job)
{
	size_t len = strlen(job->password);
	if (job->verify)
		job->ok = crypto_pwhash_str_verify(job->hash, job->password, len) == 0;
	else
		job->ok = crypto_pwhash_str(job->hash, job->password, len, WORK_OPSLIMIT,
					    WORK_MEMLIMIT) == 0;
	sodium_memzero(job->password, sizeof(job->password));
}

static void *thread_main(void *arg)
{
	struct work *work = arg;
	pthread_mutex_lock(&work->mutex);
	while (!work->stopping) {
		struct work_job *job = list_pop(&work->waiting);
		if (job == NULL) {
			pthread_cond_wait(&work->wake, &work->mutex);
			continue;
		}
		pthread_mutex_unlock(&work->mutex);
		run(job);
		pthread_mutex_lock(&work->mutex);
		list_push(&work->finished, job);
		uint64_t one = 1;
		ssize_t n = write(work->event_fd, &one, sizeof(one));
		assert(n == sizeof(one));
		(void)n;
	}
	pthread_mutex_unlock(&work->mutex);
	return NULL;
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
	struct work *work = arg;
	uint64_t count;
	(void)what;
	ssize_t n = read(fd, &count, sizeof(count));
	(void)n;
	for (;;) {
		pthread_mutex_lock(&work->mutex);
		struct work_job *job = list_pop(&work->finished);
		pthread_mutex_unlock(&work->mutex);
		if (job == NULL)
			return;
		job->done(job);
	}
}

struct work *work_new(struct event_base *base)
{
	struct work *work = calloc(1, sizeof(*work));
	if (work == NULL || sodium_init() < 0)
		abort();
	pthread_mutex_init(&work->mutex, NULL);
	pthread_cond_init(&work->wake, NULL);
	list_init(&work->waiting);
	list_init(&work->finished);
	work->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	work->event = event_new(base, work->event_fd, EV_READ | EV_PERSIST, on_finished, work);
	if (work->event_fd < 0 || work->event == NULL || event_add(work->event, NULL) != 0)
		abort();
	uint8_t secret[32];
	randombytes_buf(secret, sizeof(secret));
	if (crypto_pwhash_str(work->nobody, (const char *)secret, sizeof(secret), WORK_OPSLIMIT,
			      WORK_MEMLIMIT) != 0)
		abort();
	return work;
}

void work_free(struct work *work)
{
	if (work == NULL)
		return;
	pthread_mutex_lock(&work->mutex);
	work->stopping = true;
	pthread_cond_broadcast(&work->wake);
	pthread_mutex_unlock(&work->mutex);
	for (size_t i = 0; work->started && i < WORK_THREADS; i++)
		pthread_join(work->threads[i], NULL);
	event_free(work->event);
	close(work->event_fd);
	pthread_cond_destroy(&work->wake);
	pthread_mutex_destroy(&work->mutex);
	free(work);
}

bool work_submit(struct work *work, struct work_job *job)
{
	if (!work->started) {
		for (size_t i = 0; i < WORK_THREADS; i++)
			if (pthread_create(&work->threads[i], NULL, thread_main, work) != 0)
				abort();
		work->started = true;
	}
	pthread_mutex_lock(&work->mutex);
	bool taken = work->waiting.n < WORK_QUEUE_MAX;
	if (taken) {
		list_push(&work->waiting, job);
		pthread_cond_signal(&work->wake);
	}
	pthread_mutex_unlock(&work->mutex);
	return taken;
}

const char *work_nobody(const struct work *work)
{
	return work->nobody;
}
