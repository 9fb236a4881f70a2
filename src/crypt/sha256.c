#include "crypt/sha256.h"

#include "crypt/mbedtls_compat.h"

int
sha256_parts(uint8_t out[SHA256_LEN], const struct span *parts, size_t count)
{
	mbedtls_sha256_context sha;

	mbedtls_sha256_init(&sha);
	int rc = mbedtls_sha256_starts(&sha, 0);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = mbedtls_sha256_update(&sha, parts[i].at, parts[i].len);
	if (rc == 0)
		rc = mbedtls_sha256_finish(&sha, out);
	mbedtls_sha256_free(&sha);
	return rc == 0 ? 0 : -1;
}
