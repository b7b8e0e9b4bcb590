/* SPDX-License-Identifier: MIT */
#include "wsfand/estate.h"

#include <string.h>
#include <zlib.h>

static const uint8_t magic[8] = {'d', 'u', 'n', 'e', 'w', 's', 'f', '\n'};

enum { AT_VERSION = 8, AT_SUM = 12, AT_LENGTH = 16 };

static uint64_t
read_le(const uint8_t *data, size_t bytes)
{
	uint64_t number = 0;

	for (size_t i = bytes; i-- > 0;)
		number = number << 8 | data[i];
	return number;
}

static void
write_le(uint8_t *out, size_t bytes, uint64_t number)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(number >> 8 * i);
}

static uint32_t
sum_of(const uint8_t *data, size_t length)
{
	return (uint32_t)crc32_z(0, data, length);
}

uint32_t
estate_version(const uint8_t *data, size_t length)
{
	if (length < ESTATE_HEADER || memcmp(data, magic, sizeof(magic)) != 0)
		return 0;
	return (uint32_t)read_le(data + AT_VERSION, 4);
}

int
estate_open(struct estate_bytes *body, const uint8_t *data, size_t length, const char **problem)
{
	uint32_t version = estate_version(data, length);

	*problem = NULL;
	if (version == 0)
		*problem = "it is no estate of a wsfand";
	else if (version < ESTATE_OLDEST || version > ESTATE_VERSION)
		*problem = "this binary does not read its version";
	else if (read_le(data + AT_LENGTH, 8) != length - ESTATE_HEADER)
		*problem = "it is cut off, or something stands behind it";
	else if (read_le(data + AT_SUM, 4) != sum_of(data + ESTATE_HEADER, length - ESTATE_HEADER))
		*problem = "its checksum is wrong";
	if (*problem)
		return -1;
	*body = (struct estate_bytes){data + ESTATE_HEADER, length - ESTATE_HEADER};
	return 0;
}

int
estate_next(struct estate_bytes *rest, struct estate_element *element)
{
	size_t length;

	if (rest->length == 0)
		return 0;
	if (rest->length < ESTATE_ELEMENT)
		return -1;
	length = (size_t)read_le(rest->data + 2, 4);
	if (length > rest->length - ESTATE_ELEMENT)
		return -1;
	element->tag = (uint16_t)read_le(rest->data, 2);
	element->value = (struct estate_bytes){rest->data + ESTATE_ELEMENT, length};
	rest->data += ESTATE_ELEMENT + length;
	rest->length -= ESTATE_ELEMENT + length;
	return 1;
}

int
estate_number(const struct estate_bytes *value, uint64_t *number)
{
	if (value->length < 1 || value->length > 8)
		return -1;
	*number = read_le(value->data, value->length);
	return 0;
}

static void
append(struct estate_writer *writer, const void *data, size_t length)
{
	if (!writer->failed && length > 0 && buf_append(&writer->buf, data, length) < 0)
		writer->failed = true;
}

void
estate_begin(struct estate_writer *writer)
{
	uint8_t header[ESTATE_HEADER] = {0};

	buf_init(&writer->buf, ESTATE_MAX);
	writer->failed = false;
	memcpy(header, magic, sizeof(magic));
	write_le(header + AT_VERSION, 4, ESTATE_VERSION);
	append(writer, header, sizeof(header));
}

static void
put_head(struct estate_writer *writer, uint16_t tag, size_t length)
{
	uint8_t head[ESTATE_ELEMENT];

	write_le(head, 2, tag);
	write_le(head + 2, 4, length);
	append(writer, head, sizeof(head));
}

void
estate_put(struct estate_writer *writer, uint16_t tag, const void *data, size_t length)
{
	if (length > ESTATE_MAX)
		writer->failed = true;
	put_head(writer, tag, length);
	append(writer, data, length);
}

void
estate_put_number(struct estate_writer *writer, uint16_t tag, uint64_t number)
{
	uint8_t bytes[8];
	size_t length = 1;

	write_le(bytes, sizeof(bytes), number);
	while (length < sizeof(bytes) && number >> 8 * length > 0)
		length++;
	estate_put(writer, tag, bytes, length);
}

struct estate_mark
estate_enter(struct estate_writer *writer, uint16_t tag)
{
	struct estate_mark mark = {buf_length(&writer->buf)};

	put_head(writer, tag, 0);
	return mark;
}

void
estate_leave(struct estate_writer *writer, struct estate_mark mark)
{
	uint8_t *at;

	if (writer->failed)
		return;
	at = writer->buf.data + writer->buf.start + mark.at;
	write_le(at + 2, 4, buf_length(&writer->buf) - mark.at - ESTATE_ELEMENT);
}

int
estate_seal(struct estate_writer *writer)
{
	size_t length = buf_length(&writer->buf);
	uint8_t *data = writer->buf.data + writer->buf.start;

	if (writer->failed)
		return -1;
	write_le(data + AT_LENGTH, 8, length - ESTATE_HEADER);
	write_le(data + AT_SUM, 4, sum_of(data + ESTATE_HEADER, length - ESTATE_HEADER));
	return 0;
}

void
estate_free(struct estate_writer *writer)
{
	buf_free(&writer->buf);
}
