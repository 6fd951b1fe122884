/* grpc.reflection v1 and v1alpha (the same messages under two names), answered
 * from the descriptors that the build put into the program. */
#ifndef ISMS_NET_REFLECTION_H
#define ISMS_NET_REFLECTION_H

#include <stddef.h>

struct route;

/* The route of a path, or NULL. */
const struct route *reflection_route(const char *path);

#endif
