package carafe.hub.distribution;

import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A piece of a blob: `length` bytes from `offset` on.
record ByteRange(long offset, long length) {

    private static final Pattern ASKED = Pattern.compile("bytes=(\\d{0,18})-(\\d{0,18})");
    private static final Pattern SENT = Pattern.compile("(?:bytes )?(\\d{1,18})-(\\d{1,18})(?:/(?:\\*|\\d{1,18}))?");

    /// What a Range field asks of `size` bytes. Empty when it asks for several pieces or is not understood: then all is
    /// sent, as RFC 9110 §14.2 allows.
    /// @throws Refusal RANGE_INVALID nothing of it is inside
    static Optional<ByteRange> asked(String field, long size) throws Refusal {
        Matcher range = ASKED.matcher(field.strip());
        if (!range.matches() || range.group(1).isEmpty() && range.group(2).isEmpty()) {
            return Optional.empty();
        }
        long first;
        long last = size - 1;
        if (range.group(1).isEmpty()) {
            long count = Long.parseLong(range.group(2));
            first = Math.max(0, size - count);
            if (count == 0) {
                throw outside(size);
            }
        } else {
            first = Long.parseLong(range.group(1));
            if (!range.group(2).isEmpty()) {
                long to = Long.parseLong(range.group(2));
                if (to < first) {
                    return Optional.empty();
                }
                last = Math.min(last, to);
            }
        }
        if (first >= size) {
            throw outside(size);
        }
        return Optional.of(new ByteRange(first, last - first + 1));
    }

    private static Refusal outside(long size) {
        return new Refusal(Reason.RANGE_INVALID, "the range is outside the blob, which has " + size + " bytes");
    }

    /// What a Content-Range field of a chunk says.
    /// @throws Refusal RANGE_INVALID it is not understood
    static ByteRange sent(String field) throws Refusal {
        Matcher range = SENT.matcher(field.strip());
        if (range.matches()) {
            long first = Long.parseLong(range.group(1));
            long last = Long.parseLong(range.group(2));
            if (last >= first) {
                return new ByteRange(first, last - first + 1);
            }
        }
        throw new Refusal(Reason.RANGE_INVALID, "the Content-Range of a chunk is FIRST-LAST, both bytes included");
    }

    /// For Content-Range of an answer.
    String of(long size) {
        return "bytes " + offset + "-" + (offset + length - 1) + "/" + size;
    }
}
