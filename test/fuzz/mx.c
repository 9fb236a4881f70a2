/*
 * Answers of the DNS: the input is a message.  Every name that comes out is one that a host can
 * have.
 */
#include "fuzz.h"

#include "sys/mx.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mx_list list, as_read;
	uint32_t random[MX_MAX];

	enum mx_answer answer = mx_read_answer(&list, data, size);
	assert(list.count <= MX_MAX && (answer == MX_FOUND) == (list.count > 0));
	for (size_t i = 0; i < list.count; i++) {
		assert(memchr(list.at[i].name, '\0', sizeof(list.at[i].name)) != NULL);
		assert(host_is_name(span_of(list.at[i].name)));
	}
	for (size_t i = 0; i < MX_MAX; i++)
		random[i] = i < size ? data[size - 1 - i] * 0x01010101u : 0;
	as_read = list;
	mx_order(&list, random);
	assert(list.count == as_read.count);
	for (size_t i = 0; i < list.count; i++) {
		size_t found = 0;

		assert(i == 0 || list.at[i - 1].preference <= list.at[i].preference);
		assert(mx_better(&list, i) <= i);
		for (size_t j = 0; j < list.count; j++)
			found += list.at[i].preference == as_read.at[j].preference &&
			    strcmp(list.at[i].name, as_read.at[j].name) == 0;
		assert(found > 0);
	}
	return 0;
}
