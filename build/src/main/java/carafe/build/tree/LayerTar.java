package carafe.build.tree;

import carafe.kernel.NativeText;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.TreeMap;

/// A layer's tar as a stream that is made while it is read: headers from members, contents from where they are. The
/// same members give the same bytes. Numbers and names that a plain header cannot hold go into pax records.
public final class LayerTar extends InputStream {

    private static final int BLOCK = 512;
    private static final long OCTAL_8 = 07777777L;
    private static final long OCTAL_12 = 077777777777L;

    private final Iterator<LayerMember> members;
    private InputStream current = new ByteArrayInputStream(new byte[0]);
    private long contentLeft;
    private int padding;
    private LayerMember.Content waiting = LayerMember.Content.NONE;
    private long waitingBytes;
    private String waitingName = "";
    private boolean inContent;
    private boolean ended;

    /// The tar of `members`, in their order, parents before what is in them.
    public LayerTar(Iterator<LayerMember> members) {
        this.members = members;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (true) {
            int wanted = inContent ? (int) Math.min(length, contentLeft) : length;
            int count = wanted == 0 ? -1 : current.read(buffer, offset, wanted);
            if (count > 0) {
                contentLeft -= inContent ? count : 0;
                return count;
            }
            if (!advance()) {
                return -1;
            }
        }
    }

    /// Goes on to the next piece: a header, a content, padding, the two blocks at the end.
    private boolean advance() throws IOException {
        current.close();
        if (inContent) {
            if (contentLeft > 0) {
                throw new IOException(waitingName + " became shorter while it was copied");
            }
            inContent = false;
            current = new ByteArrayInputStream(new byte[padding]);
            return true;
        }
        if (waitingBytes > 0) {
            current = waiting.open();
            contentLeft = waitingBytes;
            padding = (int) (-waitingBytes & (BLOCK - 1));
            waitingBytes = 0;
            inContent = true;
            return true;
        }
        if (members.hasNext()) {
            var member = members.next();
            current = new ByteArrayInputStream(header(member));
            waiting = member.content();
            waitingName = member.node().path();
            waitingBytes = member.hardLink().isPresent() || member.node().type() != Node.Type.FILE
                    ? 0 : member.node().size();
            return true;
        }
        if (!ended) {
            ended = true;
            current = new ByteArrayInputStream(new byte[2 * BLOCK]);
            return true;
        }
        return false;
    }

    private static byte[] header(LayerMember member) {
        var node = member.node();
        String name = node.path().isEmpty() ? "./" : node.isDirectory() ? node.path() + "/" : node.path();
        String link = member.hardLink().orElse(node.target());
        boolean hasData = node.type() == Node.Type.FILE && member.hardLink().isEmpty();
        var pax = new TreeMap<String, byte[]>();
        byte[] nameBytes = NativeText.encode(name);
        byte[] linkBytes = NativeText.encode(link);
        if (nameBytes.length > 100) {
            pax.put("path", nameBytes);
        }
        if (linkBytes.length > 100) {
            pax.put("linkpath", linkBytes);
        }
        number(pax, "size", hasData ? node.size() : 0, OCTAL_12);
        number(pax, "uid", node.owner().uid(), OCTAL_8);
        number(pax, "gid", node.owner().gid(), OCTAL_8);
        var time = node.modified();
        if (time.nanos() != 0 || time.seconds() < 0 || time.seconds() > OCTAL_12) {
            pax.put("mtime", ascii(time.seconds() + (time.nanos() == 0 ? "" : ".%09d".formatted(time.nanos())
                    .replaceAll("0+$", ""))));
        }
        node.xattrs().forEach((key, value) -> pax.put("SCHILY.xattr." + key, value));
        var out = new ByteArrayOutputStream();
        if (!pax.isEmpty()) {
            byte[] records = records(pax);
            out.writeBytes(block("pax/" + Integer.toHexString(node.path().hashCode()), 'x', 0644, records.length));
            out.writeBytes(records);
            out.writeBytes(new byte[-records.length & (BLOCK - 1)]);
        }
        byte[] block = block("", kind(member), node.mode(), hasData ? Math.min(node.size(), OCTAL_12) : 0);
        System.arraycopy(nameBytes, 0, block, 0, Math.min(nameBytes.length, 100));
        System.arraycopy(linkBytes, 0, block, 157, Math.min(linkBytes.length, 100));
        octal(block, 108, 8, Math.min(node.owner().uid(), OCTAL_8));
        octal(block, 116, 8, Math.min(node.owner().gid(), OCTAL_8));
        octal(block, 136, 12, Math.clamp(time.seconds(), 0, OCTAL_12));
        member.device().ifPresent(device -> {
            octal(block, 329, 8, device.major());
            octal(block, 337, 8, device.minor());
        });
        seal(block);
        out.writeBytes(block);
        return out.toByteArray();
    }

    private static char kind(LayerMember member) {
        if (member.device().isPresent()) {
            return member.device().get().kind();
        }
        if (member.hardLink().isPresent()) {
            return '1';
        }
        return switch (member.node().type()) {
            case FILE -> '0';
            case DIRECTORY -> '5';
            case SYMLINK -> '2';
            case SPECIAL -> throw new IllegalArgumentException("a special file without numbers: " + member.node().path());
        };
    }

    private static void number(TreeMap<String, byte[]> pax, String key, long value, long most) {
        if (value > most) {
            pax.put(key, ascii(Long.toString(value)));
        }
    }

    private static byte[] block(String name, char kind, int mode, long size) {
        byte[] block = new byte[BLOCK];
        byte[] bytes = ascii(name);
        System.arraycopy(bytes, 0, block, 0, bytes.length);
        octal(block, 100, 8, mode);
        octal(block, 108, 8, 0);
        octal(block, 116, 8, 0);
        octal(block, 124, 12, size);
        octal(block, 136, 12, 0);
        block[156] = (byte) kind;
        System.arraycopy(ascii("ustar\0" + "00"), 0, block, 257, 8);
        octal(block, 329, 8, 0);
        octal(block, 337, 8, 0);
        seal(block);
        return block;
    }

    private static void seal(byte[] block) {
        Arrays.fill(block, 148, 156, (byte) ' ');
        int sum = 0;
        for (byte b : block) {
            sum += b & 0xFF;
        }
        System.arraycopy(ascii("%06o\0 ".formatted(sum)), 0, block, 148, 8);
    }

    private static void octal(byte[] block, int at, int width, long value) {
        String digits = Long.toOctalString(value);
        for (int i = 0; i < width - 1; i++) {
            int position = digits.length() - (width - 1) + i;
            block[at + i] = (byte) (position < 0 ? '0' : digits.charAt(position));
        }
        block[at + width - 1] = 0;
    }

    private static byte[] records(TreeMap<String, byte[]> pax) {
        var out = new ByteArrayOutputStream();
        pax.forEach((key, value) -> {
            byte[] keyBytes = NativeText.encode(key);
            int fixed = keyBytes.length + value.length + 3;
            int length = fixed + Integer.toString(fixed).length();
            length = fixed + Integer.toString(length).length();
            out.writeBytes(ascii(length + " "));
            out.writeBytes(keyBytes);
            out.write('=');
            out.writeBytes(value);
            out.write('\n');
        });
        return out.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void close() throws IOException {
        current.close();
    }
}
