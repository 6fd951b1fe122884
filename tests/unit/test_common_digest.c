#include "common/digest.h"
#include "tests/unit/tap.h"

static const char *hex_of(const uint8_t digest[DIGEST_BYTES])
{
	static char text[2 * DIGEST_BYTES + 1];

	for (size_t i = 0; i < DIGEST_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

/* The examples of FIPS 180-4 and RFC 4231. */
TEST(sha256_is_that_of_the_standard)
{
	uint8_t digest[DIGEST_BYTES];

	CHECK(digest_sha256_of(digest, "abc", 3));
	CHECK_STR(hex_of(digest),
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK(digest_sha256(digest, NULL, 0));
	CHECK_STR(hex_of(digest),
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(pieces_are_digested_as_if_they_were_one)
{
	const struct digest_piece pieces[] = { { "a", 1 }, { NULL, 0 }, { "bc", 2 } };
	uint8_t whole[DIGEST_BYTES], parts[DIGEST_BYTES];

	CHECK(digest_sha256_of(whole, "abc", 3));
	CHECK(digest_sha256(parts, pieces, 3));
	CHECK(digest_equal(whole, parts, DIGEST_BYTES));
}

TEST(hmac_sha256_is_that_of_the_standard)
{
	const struct digest_piece pieces[] = { { "what do ya want ", 16 }, { "for nothing?", 12 } };
	uint8_t digest[DIGEST_BYTES], key[131];
	const char text[] = "Test Using Larger Than Block-Size Key - Hash Key First";

	CHECK(digest_hmac_sha256(digest, "Jefe", 4, pieces, 2));
	CHECK_STR(hex_of(digest),
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	CHECK(digest_hmac_sha256(digest, key, sizeof(key),
				 &(struct digest_piece){ text, strlen(text) }, 1));
	CHECK_STR(hex_of(digest),
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	CHECK(digest_hmac_sha256(digest, NULL, 0, NULL, 0));
	CHECK_STR(hex_of(digest),
		  "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(bytes_are_compared_to_their_end)
{
	CHECK(digest_equal("abc", "abd", 2));
	CHECK(!digest_equal("abc", "abd", 3));
	CHECK(digest_equal(NULL, NULL, 0));
}

TAP_MAIN
