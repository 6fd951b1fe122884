/* Small files and folders, see file.h. */
#include "server/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arena.h"

enum { OPEN_FOLDERS_MAX = 16 };

struct status file_fault(struct arena *arena, const char *verb, const char *path, int error)
{
	const char *text = arena_printf(arena, "cannot %s %s: %s", verb, path, strerror(error));

	return status_make(STATUS_CODE_FAILED_PRECONDITION, "FILE",
			   text ? text : "out of memory while naming a file's fault");
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

struct status file_write(const char *path, const void *data, size_t len, mode_t mode,
			 struct arena *arena)
{
	struct status st = STATUS_OK;
	char *passing = arena_printf(arena, "%s.new", path);
	int fd = -1;

	if (!passing)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				   "out of memory");
	(void)unlink(passing);
	fd = open(passing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return file_fault(arena, "create", passing, errno);
	if (fchmod(fd, mode) != 0 || write_all(fd, data, len) != 0 || fsync(fd) != 0) {
		st = file_fault(arena, "write", passing, errno);
		goto out;
	}
	if (rename(passing, path) != 0)
		st = file_fault(arena, "rename to", path, errno);
out:
	(void)close(fd);
	if (!status_ok(&st))
		(void)unlink(passing);
	return st;
}

struct status file_read(char **out, const char *path, size_t max, struct arena *arena)
{
	struct status st = STATUS_OK;
	char *text = arena_alloc(arena, max + 1);
	size_t len = 0;
	int fd = -1;

	if (!text)
		return status_make(STATUS_CODE_RESOURCE_EXHAUSTED, "OUT_OF_MEMORY",
				   "out of memory");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return file_fault(arena, "open", path, errno);
	while (len <= max) {
		ssize_t n = read(fd, text + len, max + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			st = file_fault(arena, "read", path, errno);
			goto out;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > max) {
		st = file_fault(arena, "read", path, EFBIG);
		goto out;
	}
	text[len] = '\0';
	*out = text;
out:
	(void)close(fd);
	return st;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

struct status file_folder(const char *path, mode_t mode, struct arena *arena)
{
	struct stat about;

	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return file_fault(arena, "make the folder", path, errno);
	if (stat(path, &about) != 0)
		return file_fault(arena, "look at", path, errno);
	if (!S_ISDIR(about.st_mode))
		return file_fault(arena, "use", path, ENOTDIR);
	if ((about.st_mode & 07777) != mode && chmod(path, mode) != 0)
		return file_fault(arena, "set the mode of", path, errno);
	return STATUS_OK;
}

bool file_folder_empty(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	bool empty = true;

	if (!folder)
		return false;
	while (empty && (entry = readdir(folder)))
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	(void)closedir(folder);
	return empty;
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *where)
{
	(void)about;
	(void)type;
	(void)where;
	return remove(path);
}

struct status file_remove_tree(const char *path, struct arena *arena)
{
	if (!file_exists(path))
		return STATUS_OK;
	if (nftw(path, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		return file_fault(arena, "remove", path, errno);
	return STATUS_OK;
}
