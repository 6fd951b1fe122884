/* Small files and folders of the server: written whole or not at all. */
#ifndef ISMS_SERVER_FILE_H
#define ISMS_SERVER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/status.h"

struct arena;

/* A fault of the system about a path: FAILED_PRECONDITION, reason FILE, the
 * message "cannot <verb> <path>: <strerror(error)>" in the arena. */
struct status file_fault(struct arena *arena, const char *verb, const char *path, int error);

/* Writes a file under a passing name beside it, syncs and renames it, so that
 * path never holds a part. */
STATUS_MUST_CHECK struct status file_write(const char *path, const void *data, size_t len,
					   mode_t mode, struct arena *arena);
/* Reads at most max bytes as text into the arena; longer is a fault. */
STATUS_MUST_CHECK struct status file_read(char **out, const char *path, size_t max,
					  struct arena *arena);
bool file_exists(const char *path);
/* Makes a folder of this mode unless it is there; then only sets the mode. */
STATUS_MUST_CHECK struct status file_folder(const char *path, mode_t mode, struct arena *arena);
/* Whether a folder has no entries. */
bool file_folder_empty(const char *path);
/* Removes a folder with all in it, following no links; absent is fine. */
STATUS_MUST_CHECK struct status file_remove_tree(const char *path, struct arena *arena);

#endif
