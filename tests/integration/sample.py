"""A plausible request for every method, from the rules of its fields."""

import uuid

from api import SCHEMA

TIMESTAMP = "google.protobuf.Timestamp"
MASK = "google.protobuf.FieldMask"


def is_write(method):
    return "mutation" in method.input_type.fields_by_name


def is_open(name):
    """Methods that need no token."""
    return name in ("AuthService/Login", "AuthService/Activate")


def _text(rules):
    if rules.uuid:
        return str(uuid.uuid4())
    return "x" * max(rules.min_len, 1)


def _scalar(field, rules):
    kind = field.type
    if kind == field.TYPE_STRING:
        return _text(rules)
    if kind == field.TYPE_BYTES:
        return b"\x01" * (rules.exact_len or 4)
    if kind == field.TYPE_BOOL:
        return False
    if kind == field.TYPE_ENUM:
        return field.enum_type.values[1].number
    return max(rules.min, 1) if rules.has_range else 1


def fill(message, everything=True):
    """Sets every field (or only the required ones) to a value its rules allow; a
    write is a dry run, so that it takes nothing away from the next test."""
    for field in message.DESCRIPTOR.fields:
        rules = SCHEMA.rules(field)
        if field.name == "dry_run":
            message.dry_run = True
        elif field.name == "page_token" or not (everything or rules.required):
            continue
        elif field.type == field.TYPE_MESSAGE:
            _fill_message(message, field, everything)
        elif field.label == field.LABEL_REPEATED:
            getattr(message, field.name).append(_scalar(field, rules))
        else:
            setattr(message, field.name, _scalar(field, rules))
    return message


def _fill_message(message, field, everything):
    repeated = field.label == field.LABEL_REPEATED
    target = getattr(message, field.name).add() if repeated else getattr(message, field.name)
    target.SetInParent()
    if field.message_type.full_name == TIMESTAMP:
        target.seconds = 1893456000
    elif field.message_type.full_name == MASK:
        own = message.DESCRIPTOR.fields_by_name["fields"].message_type
        target.paths.append(own.fields[0].name)
    else:
        fill(target, everything)


def request(name, everything=True):
    return fill(SCHEMA.message(SCHEMA.methods[name].input_type.full_name)(), everything)


def walk(message, prefix=""):
    """(path, owner message, field) of every field of a filled request."""
    for field in message.DESCRIPTOR.fields:
        path = prefix + field.name
        if field.type == field.TYPE_MESSAGE:
            yield path, message, field
            if field.message_type.full_name in (TIMESTAMP, MASK):
                continue
            value = getattr(message, field.name)
            if field.label == field.LABEL_REPEATED:
                if len(value):
                    yield from walk(value[0], path + "[0].")
            elif message.HasField(field.name):
                yield from walk(value, path + ".")
        else:
            yield path, message, field
