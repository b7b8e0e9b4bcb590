/* SPDX-License-Identifier: MIT */
#include "wsfand/estate_record.h"

#include <limits.h>
#include <string.h>

struct field {
	uint16_t tag;
	bool number; /* a uint64_t, or struct estate_bytes */
	uint64_t least, most; /* the number, or how many bytes */
	size_t offset; /* within struct estate_record */
};

struct record {
	uint16_t tag;
	const struct field *fields;
};

#define OFFSET(record, field) offsetof(struct estate_record, record.field)

#define RECORD(name, tag_) static const struct field name##_fields[] = {
#define NUMBER(record, tag_, field_, most_) \
	{.tag = (tag_), .number = true, .most = (most_), .offset = OFFSET(record, field_)},
#define BYTES(record, tag_, field_, least_, most_) \
	{.tag = (tag_), .least = (least_), .most = (most_), .offset = OFFSET(record, field_)},
#define END(name)   \
	{.tag = 0}, \
	}           \
	;
#include "wsfand/estate_record.def"
#undef RECORD
#undef NUMBER
#undef BYTES
#undef END

#define RECORD(name, tag_) [ESTATE_##name] = {.tag = (tag_), .fields = name##_fields},
#define NUMBER(record, tag, field, most)
#define BYTES(record, tag, field, least, most)
#define END(name)

static const struct record records[ESTATE_KINDS] = {
#include "wsfand/estate_record.def"
};

static uint64_t *
number_at(struct estate_record *record, const struct field *field)
{
	return (uint64_t *)(void *)((char *)record + field->offset);
}

static struct estate_bytes *
bytes_at(struct estate_record *record, const struct field *field)
{
	return (struct estate_bytes *)(void *)((char *)record + field->offset);
}

void
estate_put_record(struct estate_writer *writer, const struct estate_record *record)
{
	const struct record *shape = &records[record->kind];
	struct estate_mark mark = estate_enter(writer, shape->tag);
	struct estate_record copy = *record;

	for (const struct field *field = shape->fields; field->tag; field++) {
		if (field->number) {
			if (*number_at(&copy, field) > 0)
				estate_put_number(writer, field->tag, *number_at(&copy, field));
		} else if (bytes_at(&copy, field)->length > 0) {
			const struct estate_bytes *bytes = bytes_at(&copy, field);

			estate_put(writer, field->tag, bytes->data, bytes->length);
		}
	}
	estate_leave(writer, mark);
}

/* NULL, or what is wrong. Only what was not yet there is taken. */
static const char *
take_field(
    struct estate_record *record, const struct field *field, const struct estate_bytes *value)
{
	uint64_t number;

	if (!field->number) {
		if (bytes_at(record, field)->length > 0)
			return "a field is there twice";
		if (value->length < MAX(field->least, 1) || value->length > field->most)
			return "a field is too long or too short";
		*bytes_at(record, field) = *value;
		return NULL;
	}
	if (estate_number(value, &number) < 0)
		return "a number is of no length or too long";
	if (*number_at(record, field) > 0)
		return "a field is there twice";
	if (number == 0 || number > field->most)
		return "a number is out of its range";
	*number_at(record, field) = number;
	return NULL;
}

static const char *
take_fields(struct estate_record *record, struct estate_bytes rest)
{
	const struct record *shape = &records[record->kind];
	struct estate_element element;
	int more;

	while ((more = estate_next(&rest, &element)) > 0) {
		const struct field *field = shape->fields;
		const char *problem;

		while (field->tag && field->tag != element.tag)
			field++;
		if (!field->tag && element.tag & ESTATE_OPTIONAL)
			continue;
		problem = field->tag ? take_field(record, field, &element.value)
				     : "a field is unknown to this binary";
		if (problem)
			return problem;
	}
	if (more < 0)
		return "a field is cut off";
	for (const struct field *field = shape->fields; field->tag; field++)
		if (!field->number && bytes_at(record, field)->length < field->least)
			return "a field is missing";
	return NULL;
}

/* ESTATE_KINDS: unknown. */
static enum estate_kind
kind_of(uint16_t tag)
{
	size_t kind = 0;

	while (kind < ESTATE_KINDS && records[kind].tag != tag)
		kind++;
	return (enum estate_kind)kind;
}

int
estate_read_record(struct estate_bytes *rest, struct estate_record *record, const char **problem)
{
	struct estate_element element;
	int more;

	while ((more = estate_next(rest, &element)) > 0) {
		memset(record, 0, sizeof(*record));
		record->kind = kind_of(element.tag);
		if (record->kind != ESTATE_KINDS) {
			*problem = take_fields(record, element.value);
			return *problem ? -1 : 1;
		}
		if (!(element.tag & ESTATE_OPTIONAL)) {
			*problem = "a record is unknown to this binary";
			return -1;
		}
	}
	if (more < 0)
		*problem = "a record is cut off";
	return more;
}
