package carafe.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;

/// Reads records of Docker's json-file format out of bytes and writes what clients get: frames, or raw bytes.
///
/// A record is a line `{"log":"…","stream":"stdout","time":"…Z"}`. Nothing is allocated per record: the text is
/// unescaped straight from the file's bytes into the frame, eight bytes looked at together; the time is parsed only
/// when it decides something. A line of another shape (torn by a crash, or foreign) is skipped.
final class LogRecords {
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final byte[] HEAD = ascii("{\"log\":\"");
    private static final byte[] STREAM = ascii(",\"stream\":\"std");
    private static final byte[] TIME = ascii("\",\"time\":\"");
    private static final int FRAME_HEADER = 8;
    private static final int TIME_TEXT = 31;
    private static final long QUOTES = 0x2222222222222222L;
    private static final long BACKSLASHES = 0x5c5c5c5c5c5c5c5cL;
    private static final long NEWLINES = 0x0a0a0a0a0a0a0a0aL;
    private static final long ONES = 0x0101010101010101L;
    private static final long HIGHS = 0x8080808080808080L;
    private static final byte[] REPLACEMENT = {(byte) 0xef, (byte) 0xbf, (byte) 0xbd};

    private final LogQuery query;
    private final boolean framed;
    private final byte[] details;
    private final long sinceNanos;
    private final long untilNanos;
    private final boolean[] insideLine = new boolean[3];
    private boolean pastUntil;

    // where the pieces of the record just parsed are in the input
    private int timeStart;
    private int timeEnd;
    private int streamNumber;

    /// `framed`: Docker's frames, else raw. `details` goes before each line when the query wants details.
    LogRecords(LogQuery query, boolean framed, String details) {
        this.query = query;
        this.framed = framed;
        this.details = (details + " ").getBytes(StandardCharsets.UTF_8);
        this.sinceNanos = query.since().map(LogRecords::nanos).orElse(Long.MIN_VALUE);
        this.untilNanos = query.until().map(LogRecords::nanos).orElse(Long.MAX_VALUE);
    }

    /// The most bytes of output that a record of `lineBytes` can become.
    int mostOutput(int lineBytes) {
        return lineBytes + FRAME_HEADER + TIME_TEXT + details.length;
    }

    /// Whether a record later than the query's end was seen: nothing that follows is wanted.
    boolean pastUntil() {
        return pastUntil;
    }

    /// Writes what the record in `in[from, to)` (without its newline) becomes at `out[at…]`; answers the new end.
    int convert(byte[] in, int from, int to, byte[] out, int at) {
        if (!matches(in, from, to, HEAD)) {
            return at;
        }
        int text = from + HEAD.length;
        int quote = closingQuote(in, text, to);
        if (quote < 0 || !parseTail(in, quote + 1, to) || !wanted(in)) {
            return at;
        }
        int start = at;
        if (framed) {
            out[at++] = (byte) streamNumber;
            out[at++] = 0;
            out[at++] = 0;
            out[at++] = 0;
            at += 4;
        }
        if (!insideLine[streamNumber]) {
            at = prefix(in, out, at);
        }
        int content = at;
        at = unescape(in, text, quote, out, at);
        insideLine[streamNumber] = at == content ? insideLine[streamNumber] : out[at - 1] != '\n';
        if (framed) {
            int length = at - start - FRAME_HEADER;
            out[start + 4] = (byte) (length >>> 24);
            out[start + 5] = (byte) (length >>> 16);
            out[start + 6] = (byte) (length >>> 8);
            out[start + 7] = (byte) length;
        }
        return at;
    }

    private int prefix(byte[] in, byte[] out, int at) {
        if (query.show().timestamps()) {
            at = fixedTime(in, out, at);
            out[at++] = ' ';
        }
        if (query.show().details()) {
            System.arraycopy(details, 0, out, at, details.length);
            at += details.length;
        }
        return at;
    }

    private boolean wanted(byte[] in) {
        boolean shown = streamNumber == 1 ? query.streams().stdout() : query.streams().stderr();
        if (!shown || sinceNanos == Long.MIN_VALUE && untilNanos == Long.MAX_VALUE) {
            return shown;
        }
        long time = time(in, timeStart, timeEnd);
        if (time > untilNanos) {
            pastUntil = true;
            return false;
        }
        return time >= sinceNanos;
    }

    /// Reads `,"stream":"stdout","time":"…"` behind the text; foreign fields behind it do no harm.
    private boolean parseTail(byte[] in, int from, int to) {
        if (!matches(in, from, to, STREAM)) {
            return false;
        }
        int name = from + STREAM.length;
        if (name + 3 + TIME.length > to) {
            return false;
        }
        streamNumber = in[name] == 'e' ? 2 : 1;
        if (!matches(in, name + 3, to, TIME)) {
            return false;
        }
        timeStart = name + 3 + TIME.length;
        int end = timeStart;
        while (end < to && in[end] != '"') {
            end++;
        }
        timeEnd = end;
        return end < to && end - timeStart >= 20 && end - timeStart <= 30 && in[end - 1] == 'Z';
    }

    private static boolean matches(byte[] in, int from, int to, byte[] wanted) {
        if (to - from < wanted.length) {
            return false;
        }
        for (int index = 0; index < wanted.length; index++) {
            if (in[from + index] != wanted[index]) {
                return false;
            }
        }
        return true;
    }

    /// The first quote that no backslash precedes; −1 if there is none.
    private static int closingQuote(byte[] in, int from, int to) {
        int at = from;
        while (true) {
            at = nextSpecial(in, at, to);
            if (at >= to) {
                return -1;
            }
            if (in[at] == '"') {
                return at;
            }
            at += 2;
        }
    }

    /// The index of the next quote or backslash, or `to`.
    private static int nextSpecial(byte[] in, int from, int to) {
        int at = from;
        while (at + 8 <= to) {
            long word = (long) LONGS.get(in, at);
            long found = zeroBytes(word ^ QUOTES) | zeroBytes(word ^ BACKSLASHES);
            if (found != 0) {
                return at + (Long.numberOfTrailingZeros(found) >>> 3);
            }
            at += 8;
        }
        while (at < to && in[at] != '"' && in[at] != '\\') {
            at++;
        }
        return at;
    }

    /// The index of the next newline, or `to`.
    static int newline(byte[] in, int from, int to) {
        int at = from;
        while (at + 8 <= to) {
            long found = zeroBytes((long) LONGS.get(in, at) ^ NEWLINES);
            if (found != 0) {
                return at + (Long.numberOfTrailingZeros(found) >>> 3);
            }
            at += 8;
        }
        while (at < to && in[at] != '\n') {
            at++;
        }
        return at;
    }

    /// Marks the lowest zero byte for certain (higher marks may be false, which a lowest-first reader never sees).
    private static long zeroBytes(long word) {
        return (word - ONES) & ~word & HIGHS;
    }

    private static int unescape(byte[] in, int from, int to, byte[] out, int at) {
        int read = from;
        while (read < to) {
            int special = nextSpecial(in, read, to);
            System.arraycopy(in, read, out, at, special - read);
            at += special - read;
            read = special;
            if (read >= to) {
                break;
            }
            byte kind = read + 1 < to ? in[read + 1] : 0;
            read += 2;
            switch (kind) {
                case 'n' -> out[at++] = '\n';
                case 'r' -> out[at++] = '\r';
                case 't' -> out[at++] = '\t';
                case 'b' -> out[at++] = '\b';
                case 'f' -> out[at++] = '\f';
                case 'u' -> {
                    int unit = hex(in, read, to);
                    read = Math.min(to, read + 4);
                    if (Character.isHighSurrogate((char) unit) && read + 6 <= to && in[read] == '\\'
                            && in[read + 1] == 'u' && Character.isLowSurrogate((char) hex(in, read + 2, to))) {
                        at = utf8(Character.toCodePoint((char) unit, (char) hex(in, read + 2, to)), out, at);
                        read += 6;
                    } else {
                        at = utf8(unit, out, at);
                    }
                }
                default -> out[at++] = kind;
            }
        }
        return at;
    }

    private static int hex(byte[] in, int from, int to) {
        int value = 0;
        for (int index = from; index < from + 4; index++) {
            int digit = index < to ? Character.digit(in[index], 16) : -1;
            if (digit < 0) {
                return 0xfffd;
            }
            value = value << 4 | digit;
        }
        return value;
    }

    private static int utf8(int point, byte[] out, int at) {
        if (point < 0x80) {
            out[at++] = (byte) point;
        } else if (point < 0x800) {
            out[at++] = (byte) (0xc0 | point >> 6);
            out[at++] = (byte) (0x80 | point & 0x3f);
        } else if (point >= 0xd800 && point < 0xe000) {
            System.arraycopy(REPLACEMENT, 0, out, at, 3);
            at += 3;
        } else if (point < 0x10000) {
            out[at++] = (byte) (0xe0 | point >> 12);
            out[at++] = (byte) (0x80 | point >> 6 & 0x3f);
            out[at++] = (byte) (0x80 | point & 0x3f);
        } else {
            out[at++] = (byte) (0xf0 | point >> 18);
            out[at++] = (byte) (0x80 | point >> 12 & 0x3f);
            out[at++] = (byte) (0x80 | point >> 6 & 0x3f);
            out[at++] = (byte) (0x80 | point & 0x3f);
        }
        return at;
    }

    /// The record's time with nine digits of fraction, as Docker prefixes lines.
    private int fixedTime(byte[] in, byte[] out, int at) {
        System.arraycopy(in, timeStart, out, at, 19);
        at += 19;
        out[at++] = '.';
        int read = timeStart + 20;
        for (int digit = 0; digit < 9; digit++) {
            out[at++] = read < timeEnd - 1 ? in[read] : (byte) '0';
            read++;
        }
        out[at++] = 'Z';
        return at;
    }

    private static long nanos(Instant time) {
        return Math.addExact(Math.multiplyExact(Math.clamp(time.getEpochSecond(), -9_000_000_000L, 9_000_000_000L),
                1_000_000_000L), time.getNano());
    }

    /// Nanoseconds since the epoch of `2006-01-02T15:04:05[.fraction]Z`; 0 when it is something else.
    static long time(byte[] in, int from, int to) {
        int year = digits(in, from, 4);
        int month = digits(in, from + 5, 2);
        int day = digits(in, from + 8, 2);
        int seconds = digits(in, from + 11, 2) * 3600 + digits(in, from + 14, 2) * 60 + digits(in, from + 17, 2);
        if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31) {
            return 0;
        }
        long days = LocalDate.of(year, month, 1).toEpochDay() + day - 1;
        long fraction = 0;
        int count = 0;
        for (int at = from + 20; at < to - 1 && count < 9; at++, count++) {
            fraction = fraction * 10 + (in[at] - '0');
        }
        for (; count < 9; count++) {
            fraction *= 10;
        }
        return (days * 86_400 + seconds) * 1_000_000_000L + fraction;
    }

    private static int digits(byte[] in, int from, int count) {
        int value = 0;
        for (int at = from; at < from + count; at++) {
            value = value * 10 + (in[at] - '0');
        }
        return value;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
