/* Walks the embedded descriptors, see descriptors.h. Which field of which
 * descriptor message holds what is the table below. */
#include "server/net/descriptors.h"

#include <stdio.h>
#include <string.h>

#include "common/embed.h"
#include "server/net/worker.h"

enum { NAME = 1, PACKAGE = 2, FILE_SERVICE = 6, SERVICE_METHOD = 2 };

enum kind { IN_FILE, IN_MESSAGE, IN_ENUM, IN_SERVICE, LEAF };

/* What a field of a descriptor defines, by FileDescriptorProto and its parts. */
static const struct child {
	enum kind parent;
	uint32_t number;
	enum kind kind;
} children[] = {
	{ IN_FILE, 4, IN_MESSAGE }, { IN_FILE, 5, IN_ENUM }, { IN_FILE, 6, IN_SERVICE },
	{ IN_FILE, 7, LEAF },       { IN_MESSAGE, 2, LEAF }, { IN_MESSAGE, 3, IN_MESSAGE },
	{ IN_MESSAGE, 4, IN_ENUM }, { IN_MESSAGE, 6, LEAF }, { IN_MESSAGE, 8, LEAF },
	{ IN_ENUM, 2, LEAF },       { IN_SERVICE, 2, LEAF },
};

/* --- wire ----------------------------------------------------------------- */

static bool take_varint(uint64_t *out, struct descriptors_span *rest)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && rest->len > 0; shift += 7) {
		uint8_t byte = *rest->data++;
		rest->len--;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*out = value;
			return true;
		}
	}
	return false;
}

static bool skip(struct descriptors_span *rest, size_t len)
{
	if (len > rest->len) {
		return false;
	}
	rest->data += len;
	rest->len -= len;
	return true;
}

/* The next length-delimited field; others are passed over. false at the end. */
static bool next_field(uint32_t *number, struct descriptors_span *out,
		       struct descriptors_span *rest)
{
	uint64_t tag;
	uint64_t value;
	while (take_varint(&tag, rest)) {
		switch (tag & 7) {
		case 0:
			if (!take_varint(&value, rest)) {
				return false;
			}
			break;
		case 1:
		case 5:
			if (!skip(rest, (tag & 7) == 1 ? 8 : 4)) {
				return false;
			}
			break;
		case 2:
			if (!take_varint(&value, rest) || value > rest->len) {
				return false;
			}
			*number = (uint32_t)(tag >> 3);
			*out = (struct descriptors_span){ rest->data, (size_t)value };
			return skip(rest, (size_t)value);
		default:
			return false;
		}
	}
	return false;
}

/* First field of that number; empty when there is none. */
static struct descriptors_span field_of(struct descriptors_span message, uint32_t wanted)
{
	uint32_t number;
	struct descriptors_span field;
	while (next_field(&number, &field, &message)) {
		if (number == wanted) {
			return field;
		}
	}
	return (struct descriptors_span){ 0 };
}

/* The next file of the set. */
static bool next_file(struct descriptors_span *out, struct descriptors_span *rest)
{
	uint32_t number;
	return next_field(&number, out, rest);
}

static struct descriptors_span all_files(void)
{
	const struct embedded_file *file = &embedded_descriptors[0];
	return (struct descriptors_span){ file->data, (size_t)(file->end - file->data) };
}

/* --- names ---------------------------------------------------------------- */

/* What follows prefix and a dot in name, "" when name is the prefix, else NULL. */
static const char *after(const char *name, struct descriptors_span prefix)
{
	if (strncmp(name, (const char *)prefix.data, prefix.len) != 0) {
		return NULL;
	}
	name += prefix.len;
	return *name == '\0' ? name : name[0] == '.' && name[1] != '\0' ? name + 1 : NULL;
}

static bool child_kind(enum kind *out, enum kind parent, uint32_t number)
{
	for (size_t i = 0; i < sizeof(children) / sizeof(children[0]); i++) {
		if (children[i].parent == parent && children[i].number == number) {
			*out = children[i].kind;
			return true;
		}
	}
	return false;
}

/* Whether a descriptor defines the name, which is relative to it. Goes as deep as
 * our own messages nest. */
static bool defines(struct descriptors_span descriptor, enum kind parent, const char *name)
{
	uint32_t number;
	enum kind kind;
	struct descriptors_span field;
	while (next_field(&number, &field, &descriptor)) {
		if (!child_kind(&kind, parent, number)) {
			continue;
		}
		/* Values of an enum are named like its siblings. */
		if (kind == IN_ENUM && defines(field, IN_ENUM, name)) {
			return true;
		}
		struct descriptors_span own = field_of(field, NAME);
		const char *rest = own.len > 0 ? after(name, own) : NULL;
		if (rest != NULL &&
		    (*rest == '\0' || (kind != LEAF && defines(field, kind, rest)))) {
			return true;
		}
	}
	return false;
}

bool descriptors_file(struct descriptors_span *out, const char *name)
{
	struct descriptors_span rest = all_files();
	struct descriptors_span file;
	while (next_file(&file, &rest)) {
		struct descriptors_span own = field_of(file, NAME);
		if (strlen(name) == own.len && memcmp(name, own.data, own.len) == 0) {
			*out = file;
			return true;
		}
	}
	return false;
}

bool descriptors_symbol(struct descriptors_span *out, const char *symbol)
{
	struct descriptors_span rest = all_files();
	struct descriptors_span file;
	while (next_file(&file, &rest)) {
		struct descriptors_span package = field_of(file, PACKAGE);
		const char *name = package.len > 0 ? after(symbol, package) : symbol;
		if (name != NULL && *name != '\0' && defines(file, IN_FILE, name)) {
			*out = file;
			return true;
		}
	}
	return false;
}

/* --- services ------------------------------------------------------------- */

/* Whether any method of a service is served; writes its full name. */
static bool service_served(char name[DESCRIPTORS_NAME_MAX], const struct worker *worker,
			   struct descriptors_span package, struct descriptors_span service)
{
	uint32_t number;
	struct descriptors_span field;
	struct descriptors_span own = field_of(service, NAME);
	snprintf(name, DESCRIPTORS_NAME_MAX, "%.*s%s%.*s", (int)package.len,
		 (const char *)package.data, package.len > 0 ? "." : "", (int)own.len,
		 (const char *)own.data);
	while (next_field(&number, &field, &service)) {
		char path[2 * DESCRIPTORS_NAME_MAX];
		struct descriptors_span method = field_of(field, NAME);
		if (number != SERVICE_METHOD) {
			continue;
		}
		snprintf(path, sizeof(path), "/%s/%.*s", name, (int)method.len,
			 (const char *)method.data);
		if (worker_route(worker, path) != NULL) {
			return true;
		}
	}
	return false;
}

bool descriptors_services(const struct worker *worker, bool (*fn)(void *arg, const char *name),
			  void *arg)
{
	char name[DESCRIPTORS_NAME_MAX];
	uint32_t number;
	struct descriptors_span rest = all_files();
	struct descriptors_span file;
	struct descriptors_span field;
	while (next_file(&file, &rest)) {
		struct descriptors_span package = field_of(file, PACKAGE);
		while (next_field(&number, &field, &file)) {
			if (number == FILE_SERVICE &&
			    service_served(name, worker, package, field) && !fn(arg, name)) {
				return false;
			}
		}
	}
	return true;
}
