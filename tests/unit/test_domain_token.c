#include "common/digest.h"
#include "server/domain/token.h"
#include "tests/unit/domain_case.h"

static void zeros(void *out, size_t len)
{
	memset(out, 0, len);
}

TEST(a_token_is_a_prefix_random_bytes_and_a_sum)
{
	struct domain_case c;
	case_begin(&c);
	c.plan.entropy = zeros;
	ProtobufCBinaryData digest;
	/* the sum was worked out with another program */
	char *token = token_new(&digest, &c.plan, TOKEN_ACCESS);
	CHECK_STR(token, "ismsA_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQHA7EQ");
	uint8_t want[DIGEST_BYTES];
	CHECK(digest_sha256_of(want, token, strlen(token)));
	CHECK_INT(digest.len, DIGEST_BYTES);
	CHECK(memcmp(digest.data, want, DIGEST_BYTES) == 0);
	CHECK_STR(token_new(&digest, &c.plan, TOKEN_INVITATION),
		  "ismsB_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAf7tFhA");
	case_end(&c);
}

TEST(no_two_tokens_are_the_same)
{
	struct domain_case c;
	case_begin(&c);
	ProtobufCBinaryData one, two;
	CHECK(strcmp(token_new(&one, &c.plan, TOKEN_SERVICE),
		     token_new(&two, &c.plan, TOKEN_SERVICE)) != 0);
	CHECK(memcmp(one.data, two.data, one.len) != 0);
	case_end(&c);
}

TAP_MAIN
