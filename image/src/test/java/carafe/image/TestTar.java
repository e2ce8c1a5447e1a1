package carafe.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// Writes tars for tests, member by member, also those that no honest program writes. Shared with other rooms' tests.
public final class TestTar {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /// A member of any kind; size is that of `content` unless a later step says otherwise.
    public static final class Member {
        private final String name;
        private final char type;
        private String link = "";
        private int mode = 0644;
        private long uid;
        private long gid;
        private long mtime = 1_700_000_000;
        private long claimedSize = -1;
        private int major;
        private int minor;
        private byte[] content = {};
        private final Map<String, byte[]> pax = new LinkedHashMap<>();

        private Member(String name, char type) {
            this.name = name;
            this.type = type;
        }

        public Member mode(int mode) {
            this.mode = mode;
            return this;
        }

        public Member owner(long uid, long gid) {
            this.uid = uid;
            this.gid = gid;
            return this;
        }

        public Member mtime(long seconds) {
            this.mtime = seconds;
            return this;
        }

        /// Claims another size than the content has.
        public Member claims(long size) {
            this.claimedSize = size;
            return this;
        }

        public Member device(int major, int minor) {
            this.major = major;
            this.minor = minor;
            return this;
        }

        /// A record of a pax header in front of the member.
        public Member pax(String key, byte[] value) {
            pax.put(key, value);
            return this;
        }

        public Member pax(String key, String value) {
            return pax(key, value.getBytes(StandardCharsets.UTF_8));
        }

        public Member xattr(String name, byte... value) {
            return pax("SCHILY.xattr." + name, value);
        }
    }

    public static Member file(String name, byte[] content) {
        var member = new Member(name, '0');
        member.content = content;
        return member;
    }

    public static Member file(String name, String content) {
        return file(name, content.getBytes(StandardCharsets.UTF_8));
    }

    public static Member directory(String name) {
        return new Member(name, '5').mode(0755);
    }

    public static Member symlink(String name, String target) {
        var member = new Member(name, '2').mode(0777);
        member.link = target;
        return member;
    }

    public static Member hardLink(String name, String target) {
        var member = new Member(name, '1');
        member.link = target;
        return member;
    }

    /// A member of type `type` (`3` character device, `4` block device, `6` FIFO, or anything else).
    public static Member special(String name, char type) {
        return new Member(name, type);
    }

    /// A member of type `type` with data behind its header.
    public static Member special(String name, char type, byte[] content) {
        var member = new Member(name, type);
        member.content = content;
        return member;
    }

    public TestTar add(Member member) {
        if (!member.pax.isEmpty()) {
            var records = new ByteArrayOutputStream();
            member.pax.forEach((key, value) -> records.writeBytes(record(key, value)));
            header(special("PaxHeaders/x", 'x'), records.size());
            data(records.toByteArray());
        }
        byte[] name = member.name.getBytes(StandardCharsets.UTF_8);
        byte[] link = member.link.getBytes(StandardCharsets.UTF_8);
        if (name.length > 100) {
            header(special("././@LongLink", 'L'), name.length + 1);
            data(zeroEnded(name));
        }
        if (link.length > 100) {
            header(special("././@LongLink", 'K'), link.length + 1);
            data(zeroEnded(link));
        }
        header(member, member.claimedSize >= 0 ? member.claimedSize : member.content.length);
        data(member.content);
        return this;
    }

    /// Raw bytes, a member of which nothing is checked.
    public TestTar raw(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    private static byte[] zeroEnded(byte[] text) {
        return Arrays.copyOf(text, text.length + 1);
    }

    /// One pax record, its length counting itself.
    static byte[] record(String key, byte[] value) {
        byte[] rest = (" " + key + "=").getBytes(StandardCharsets.UTF_8);
        int length = rest.length + value.length + 1;
        int digits = Integer.toString(length).length();
        while (Integer.toString(length + digits).length() != digits) {
            digits++;
        }
        var record = new ByteArrayOutputStream();
        record.writeBytes(Integer.toString(length + digits).getBytes(StandardCharsets.US_ASCII));
        record.writeBytes(rest);
        record.writeBytes(value);
        record.write('\n');
        return record.toByteArray();
    }

    private void data(byte[] content) {
        out.writeBytes(content);
        out.writeBytes(new byte[-content.length & 511]);
    }

    private void header(Member member, long size) {
        byte[] header = new byte[512];
        byte[] name = member.name.getBytes(StandardCharsets.UTF_8);
        byte[] link = member.link.getBytes(StandardCharsets.UTF_8);
        System.arraycopy(name, 0, header, 0, Math.min(100, name.length));
        number(header, 100, 8, member.mode);
        number(header, 108, 8, member.uid);
        number(header, 116, 8, member.gid);
        number(header, 124, 12, size);
        number(header, 136, 12, member.mtime);
        header[156] = (byte) member.type;
        System.arraycopy(link, 0, header, 157, Math.min(100, link.length));
        text(header, 257, "ustar\0" + "00");
        number(header, 329, 8, member.major);
        number(header, 337, 8, member.minor);
        checksum(header);
        out.writeBytes(header);
    }

    /// Writes the checksum that fits the other fields of the header that `header` begins with.
    static void checksum(byte[] header) {
        text(header, 148, "        ");
        int sum = 0;
        for (int i = 0; i < 512; i++) {
            sum += header[i] & 0xFF;
        }
        text(header, 148, "%06o\0 ".formatted(sum));
    }

    /// Octal where it fits, base-256 where not.
    static void number(byte[] header, int at, int length, long value) {
        String octal = Long.toOctalString(value);
        if (value >= 0 && octal.length() < length) {
            text(header, at, "0".repeat(length - 1 - octal.length()) + octal);
            return;
        }
        for (int i = length - 1; i >= 0; i--) {
            header[at + i] = (byte) value;
            value >>= 8;
        }
        header[at] |= (byte) 0x80;
    }

    private static void text(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }

    /// The archive without the blocks that end it.
    public byte[] unfinished() {
        return out.toByteArray();
    }

    /// The whole archive.
    public byte[] bytes() {
        var whole = new ByteArrayOutputStream();
        whole.writeBytes(out.toByteArray());
        whole.writeBytes(new byte[1024]);
        return whole.toByteArray();
    }
}
