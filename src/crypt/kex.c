#include "crypt/kex.h"

#include "base/octets.h"

void
agreement_wipe(struct agreement *a)
{
	octets_wipe(a->secret, sizeof(a->secret));
	octets_wipe(a->half_a, sizeof(a->half_a));
	octets_wipe(a->half_b, sizeof(a->half_b));
	octets_wipe(a->key_ab, sizeof(a->key_ab));
	octets_wipe(a->key_ba, sizeof(a->key_ba));
	octets_wipe(a->iv_ab, sizeof(a->iv_ab));
	octets_wipe(a->iv_ba, sizeof(a->iv_ba));
}
