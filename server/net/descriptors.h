/* Looks things up in the embedded FileDescriptorSet by walking its wire bytes:
 * nothing is unpacked or kept. The bytes are our own build's, hence trusted to
 * be well-formed; all the same nothing outside of them is read. */
#ifndef ISMS_NET_DESCRIPTORS_H
#define ISMS_NET_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

enum { DESCRIPTORS_NAME_MAX = 256 };

struct descriptors_span {
	const uint8_t *data;
	size_t len;
};

/* The FileDescriptorProto of this name, or the one that defines a message, field,
 * enum, enum value, service or method of this full name. false: there is none. */
bool descriptors_file(struct descriptors_span *out, const char *name);
bool descriptors_symbol(struct descriptors_span *out, const char *symbol);

/* Calls fn for every service that has a method which the worker serves, until it
 * returns false; then so does this. name is borrowed for the call. */
bool descriptors_services(const struct worker *worker, bool (*fn)(void *arg, const char *name),
			  void *arg);

#endif
