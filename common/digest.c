/* Digests by OpenSSL. The algorithms are fetched once, since looking them up
 * costs more than digesting a token. */
#include "common/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <threads.h>

static EVP_MD *sha256;
static EVP_MAC *hmac;
static once_flag fetched = ONCE_FLAG_INIT;

/* They live as long as the process; the library's end takes them along. */
static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

bool digest_sha256(uint8_t out[DIGEST_BYTES], const struct digest_piece *pieces, size_t n)
{
	EVP_MD_CTX *context = NULL;
	uint8_t digest[DIGEST_BYTES];
	bool ok = false;

	call_once(&fetched, fetch);
	context = EVP_MD_CTX_new();
	if (sha256 == NULL || context == NULL || EVP_DigestInit_ex2(context, sha256, NULL) != 1)
		goto out;
	for (size_t i = 0; i < n; i++) {
		if (EVP_DigestUpdate(context, pieces[i].data, pieces[i].len) != 1)
			goto out;
	}
	if (EVP_DigestFinal_ex(context, digest, NULL) != 1)
		goto out;
	for (size_t i = 0; i < sizeof(digest); i++)
		out[i] = digest[i];
	ok = true;
out:
	EVP_MD_CTX_free(context);
	return ok;
}

bool digest_hmac_sha256(uint8_t out[DIGEST_BYTES], const void *key, size_t key_len,
			const struct digest_piece *pieces, size_t n)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end(),
	};
	/* An empty key is a key; NULL would mean that of the call before. */
	const uint8_t *key_bytes = key_len > 0 ? key : (const uint8_t *)"";
	EVP_MAC_CTX *context = NULL;
	uint8_t digest[DIGEST_BYTES];
	size_t len = 0;
	bool ok = false;

	call_once(&fetched, fetch);
	if (hmac == NULL)
		return false;
	context = EVP_MAC_CTX_new(hmac);
	if (context == NULL || EVP_MAC_init(context, key_bytes, key_len, params) != 1)
		goto out;
	for (size_t i = 0; i < n; i++) {
		if (EVP_MAC_update(context, pieces[i].data, pieces[i].len) != 1)
			goto out;
	}
	if (EVP_MAC_final(context, digest, &len, sizeof(digest)) != 1 || len != sizeof(digest))
		goto out;
	for (size_t i = 0; i < sizeof(digest); i++)
		out[i] = digest[i];
	ok = true;
out:
	EVP_MAC_CTX_free(context);
	return ok;
}

bool digest_sha256_of(uint8_t out[DIGEST_BYTES], const void *data, size_t len)
{
	return digest_sha256(out, &(struct digest_piece){ data, len }, 1);
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}
