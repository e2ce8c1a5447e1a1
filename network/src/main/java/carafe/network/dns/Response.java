package carafe.network.dns;

import carafe.spec.network.IpAddress;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/// Writes answers. Source: RFC 1035, 4; RFC 6891.
final class Response {

    static final int GOOD = 0;
    static final int FORMAT_ERROR = 1;
    static final int SERVER_FAILURE = 2;
    static final int NOT_IMPLEMENTED = 4;
    static final int REFUSED = 5;

    private static final int HEADER_BYTES = 12;
    private static final int TRUNCATED = 0x02;
    private static final int TTL_SECONDS = 600; // what Docker says; containers come and go, but so do caches
    private static final int OUR_UDP_BYTES = 1232;

    private Response() {}

    /// The answer to something that is no query.
    static byte[] error(int id, int code) {
        return header(id, false, 0, code, 0, 0, 0);
    }

    /// An error to a query.
    static byte[] error(Query query, int code, boolean stream) {
        return write(query, code, List.of(), stream);
    }

    /// Addresses, of the family that was asked for; none says that the name has none of that family.
    static byte[] addresses(Query query, List<IpAddress> addresses, boolean stream) {
        var records = new ArrayList<byte[]>();
        for (var address : addresses) {
            records.add(record(address.six() ? Query.AAAA : Query.A, address.bytes()));
        }
        return write(query, GOOD, records, stream);
    }

    /// Names of an address.
    static byte[] names(Query query, List<String> names, boolean stream) {
        var records = new ArrayList<byte[]>();
        for (String name : names) {
            records.add(record(Query.PTR, name(name)));
        }
        return write(query, GOOD, records, stream);
    }

    /// An answer of another server, as far as this client takes it: one that is too large loses its records, and the
    /// client asks again by a stream.
    static byte[] forwarded(Query query, byte[] answer, boolean stream) {
        byte[] own = answer.clone();
        own[0] = (byte) (query.id() >> 8);
        own[1] = (byte) query.id();
        if (own.length <= query.most(stream)) {
            return own;
        }
        byte[] cut = Arrays.copyOf(own, HEADER_BYTES + query.asked().length);
        cut[2] |= TRUNCATED;
        Arrays.fill(cut, 6, HEADER_BYTES, (byte) 0);
        System.arraycopy(query.asked(), 0, cut, HEADER_BYTES, query.asked().length);
        return cut;
    }

    private static byte[] write(Query query, int code, List<byte[]> records, boolean stream) {
        int room = query.most(stream) - HEADER_BYTES - query.asked().length - (query.extended() ? 11 : 0);
        var fitting = new ArrayList<byte[]>();
        for (byte[] record : records) {
            if (record.length > room) {
                break;
            }
            room -= record.length;
            fitting.add(record);
        }
        boolean cut = fitting.size() < records.size();
        var out = new ByteArrayOutputStream();
        out.writeBytes(header(query.id(), query.recursion(), cut ? TRUNCATED : 0, code, 1, fitting.size(),
                query.extended() ? 1 : 0));
        out.writeBytes(query.asked());
        fitting.forEach((Consumer<byte[]>) out::writeBytes);
        if (query.extended()) {
            out.writeBytes(new byte[] {0, 0, Query.OPT, OUR_UDP_BYTES >> 8, (byte) OUR_UDP_BYTES, 0, 0, 0, 0, 0, 0});
        }
        return out.toByteArray();
    }

    private static byte[] header(int id, boolean recursion, int flags, int code, int questions, int answers, int more) {
        return new byte[] {
            (byte) (id >> 8), (byte) id, (byte) (0x80 | flags | (recursion ? 1 : 0)), (byte) (0x80 | code),
            0, (byte) questions, (byte) (answers >> 8), (byte) answers, 0, 0, 0, (byte) more
        };
    }

    /// A record of the name that was asked for, which a pointer repeats.
    private static byte[] record(int type, byte[] data) {
        var out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0xC0, HEADER_BYTES, 0, (byte) type, 0, Query.INTERNET,
            0, 0, TTL_SECONDS >> 8, (byte) (TTL_SECONDS & 0xFF), (byte) (data.length >> 8), (byte) data.length});
        out.writeBytes(data);
        return out.toByteArray();
    }

    private static byte[] name(String text) {
        var out = new ByteArrayOutputStream();
        for (String label : text.split("\\.")) {
            byte[] bytes = label.getBytes(StandardCharsets.UTF_8);
            int length = Math.min(bytes.length, 63);
            out.write(length);
            out.write(bytes, 0, length);
        }
        out.write(0);
        return out.toByteArray();
    }
}
