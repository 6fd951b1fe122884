/* The bounded helper for what must not run on a worker's loop: password
 * hashing. Two threads, a queue of 32. Threads start with the first job, so
 * after any fork. */
#ifndef ISMS_ENGINE_WORK_H
#define ISMS_ENGINE_WORK_H

#include <stdbool.h>

struct event_base;
struct work;

enum { WORK_THREADS = 2, WORK_QUEUE_MAX = 32, WORK_HASH = 128 };

/* One hashing; the owner keeps it until done has run. */
struct work_job {
	char password[129 * 4]; /* wiped when done */
	char hash[WORK_HASH];   /* to verify against; "" makes one */
	bool verify;
	bool ok;                            /* out: verified, or hash was made */
	void (*done)(struct work_job *job); /* on the loop, never from work_submit */
	void *arg;
	struct work_job *next;
};

struct work *work_new(struct event_base *base);
/* Waits for the running jobs; done is not run any more. */
void work_free(struct work *work);
/* false when the queue is full. */
bool work_submit(struct work *work, struct work_job *job);
/* A hash of nobody's password, so that a login without account takes as long as
 * one with. Static. */
const char *work_nobody(const struct work *work);

#endif
