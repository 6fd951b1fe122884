/* Files that the build puts into the program; each is followed by a NUL that is
 * not counted. */
#ifndef ISMS_EMBED_H
#define ISMS_EMBED_H

#include <stddef.h>
#include <stdint.h>

struct embedded_file {
	const char *name; /* file name without its folder */
	const uint8_t *data;
	const uint8_t *end;
};

/* sql/migrations, in order of name. */
extern const struct embedded_file embedded_migrations[];
extern const size_t embedded_migrations_count;
/* sql/queries. */
extern const struct embedded_file embedded_queries[];
extern const size_t embedded_queries_count;
/* sql/roles.sql. */
extern const struct embedded_file embedded_roles[];
extern const size_t embedded_roles_count;
/* One google.protobuf.FileDescriptorSet: the API with its imports. */
extern const struct embedded_file embedded_descriptors[];
extern const size_t embedded_descriptors_count;

#endif
