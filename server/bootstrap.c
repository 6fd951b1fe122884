/* The first organisation, see bootstrap.h. */
#include "server/bootstrap.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/grpc.h"
#include "server/db/admin.h"
#include "server/file.h"
#include "server/settings.h"

enum {
	SECRET = 32,
	DIGEST = 32,
	TOKEN_TEXT = 64, /* prefix, 43 characters and a line end */
};

static const char prefix[] = "ismsB_";

/* "ismsB_" and 43 characters of base64 as in file names. */
static bool make_token(char token[TOKEN_TEXT])
{
	uint8_t secret[SECRET];
	char *text = token + strlen(prefix);

	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return false;
	memcpy(token, prefix, sizeof(prefix));
	text[grpc_base64_encode(text, secret, sizeof(secret))] = '\0';
	explicit_bzero(secret, sizeof(secret));
	for (; *text; text++)
		*text = *text == '+' ? '-' : *text == '/' ? '_' : *text;
	return true;
}

/* Hexadecimal form of bytea. */
static bool digest_text(char text[2 + 2 * DIGEST + 1], const char *token)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(token, strlen(token), digest, &len, EVP_sha256(), NULL) != 1 ||
	    len != DIGEST)
		return false;
	*text++ = '\\';
	*text++ = 'x';
	for (unsigned i = 0; i < len; i++) {
		*text++ = digits[digest[i] >> 4];
		*text++ = digits[digest[i] & 15];
	}
	*text = '\0';
	return true;
}

struct status bootstrap_run(const struct command *command, const char *owner,
			    const char *invitation_file, struct arena *arena)
{
	char token[TOKEN_TEXT];
	char digest[2 + 2 * DIGEST + 1];
	const char *values[] = { command->organisation, command->title, command->admin_email,
				 digest };
	const char *made = NULL;
	size_t len;
	struct status st;

	if (file_exists(invitation_file))
		return file_fault(arena, "write the invitation to", invitation_file, EEXIST);
	if (!make_token(token) || !digest_text(digest, token))
		return status_make(STATUS_CODE_INTERNAL, "NO_RANDOMNESS",
				   "cannot make an invitation");
	len = strlen(token);
	token[len] = '\n';
	st = file_write(invitation_file, token, len + 1, 0600, arena);
	explicit_bzero(token, sizeof(token));
	if (!status_ok(&st))
		return st;
	st = admin_run(&made, owner,
		       "SELECT org_id::text FROM isms.bootstrap_organisation("
		       "$1, $2, $3, 'Administrator', $4::bytea)",
		       values, sizeof(values) / sizeof(values[0]), arena);
	if (!status_ok(&st))
		(void)unlink(invitation_file);
	return st;
}
