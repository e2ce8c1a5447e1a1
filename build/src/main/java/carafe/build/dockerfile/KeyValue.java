package carafe.build.dockerfile;

import java.util.Optional;

/// One element of ARG, ENV or LABEL, both sides as written; an ARG may have no value.
public record KeyValue(String key, Optional<String> value) {}
