/* grpc.health.v1: whether the server, or a service of it, answers. Watchers are
 * told of changes by a look once a tick of the worker. */
#ifndef ISMS_NET_HEALTH_H
#define ISMS_NET_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct route;
struct worker;
struct health_watch;

TAILQ_HEAD(health_watch_list, health_watch);

struct health {
	struct health_watch_list watches; /* at most one a call in flight */
};

void health_init(struct health *health);
/* The route of a path, or NULL. */
const struct route *health_route(const char *path);
/* Tells watchers what has changed. */
void health_tick(struct worker *worker);

#endif
