/*
 * Operands and addresses as text.  The input is the host operand of blackpony, an address, and
 * the value of `backend`, all at once.
 */
#include "fuzz.h"

#include "sys/dial.h"
#include "sys/host.h"

#include <string.h>

static void
look_at_operand(struct span operand)
{
	static struct host_list list;
	const char *why = NULL;

	if (host_list_read(&list, operand, &why) < 0) {
		assert(why != NULL && why[0] != '\0');
		return;
	}
	assert(list.count >= 1 && list.count <= HOST_LIST_MAX);
	for (size_t i = 0; i < list.count; i++) {
		const struct host *host = &list.at[i];
		struct address address;

		assert(memchr(host->name, '\0', sizeof(host->name)) != NULL && host->port > 0);
		if (host->literal)
			assert(address_read(&address, span_of(host->name), host->port) == 0);
		else
			assert(host_is_name(span_of(host->name)));
	}
}

/* An address that was read, written and read again is the same. */
static void
look_at_address(struct span text)
{
	struct address address, again;
	char written[ADDRESS_TEXT_MAX];

	if (address_read(&address, text, 25) < 0)
		return;
	address_text(&address, written);
	assert(address_port(&address) == 25 && !host_is_name(span_of(written)));
	assert(address_read(&again, span_of(written), 25) == 0);
	assert(address_same_host(&address, &again));
	assert(span_equal(address_octets(&address), address_octets(&again)));
	assert(address_octets(&address).len == (address_family(&address) == AF_INET ? 4 : 16));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span(data, size);
	struct address address;

	look_at_operand(text);
	look_at_address(text);
	if (dial_read_backend(&address, text) == 0)
		assert(address.len > 0 && address.len <= sizeof(address.at));
	return 0;
}
