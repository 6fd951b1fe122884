/* A watch: a call of a client that never ends by itself, and its stream. */
#ifndef ISMS_SDK_WATCH_H
#define ISMS_SDK_WATCH_H

struct call;

/* The client of a watch's call is about to go. */
void watch_orphan(struct call *call);

#endif
