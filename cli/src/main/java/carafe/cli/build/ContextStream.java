package carafe.cli.build;

import carafe.cli.session.Files;
import carafe.cli.session.Files.FileEntry;
import carafe.cli.session.PathText;
import carafe.spec.build.FileCapability;
import carafe.spec.build.FileStamp;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.tar.TarText;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A directory as a tar that is made while it is read, without what the ignore patterns leave out. Files the builder
/// must see (`always`) come even so. Extra files come first, under names of their own. Further names of one file are hard
/// links to its first; from a listing the builder knows them by their stamp.
public final class ContextStream extends InputStream {

    private static final int BLOCK = 512;
    private static final long LARGEST_OCTAL = 077777777777L;
    private static final byte[] NO_CAPABILITY = new byte[0];

    private final Files files;
    private final Path root;
    private final ContextRules rules;
    private final Optional<Sameness> sameness;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    /// The first name that was sent of each file that has others.
    private final Map<FileStamp, String> names = new HashMap<>();
    private InputStream current;
    private Optional<Waiting> file = Optional.empty();
    private long left;
    private int padding;
    private boolean ended;

    /// A name that comes later: its path in the context, what it is, whether it is left out, and its capability.
    private record Waiting(String path, FileEntry entry, boolean out, byte[] capability) {}

    /// A file that is not in the directory.
    public record Extra(String path, byte[] content) {
        public Extra {
            content = content.clone();
        }
    }

    /// The tar of `root`, read by `files`.
    public ContextStream(Files files, Path root, IgnorePatterns ignored, Set<String> always, List<Extra> extras)
            throws IOException {
        this(new ContextDirectory(files, root, new ContextRules(ignored, always), extras), Optional.empty());
    }

    /// The tar of `directory`; `sameness` is told what is read.
    ContextStream(ContextDirectory directory, Optional<Sameness> sameness) throws IOException {
        this.files = directory.files();
        this.root = directory.root();
        this.rules = directory.rules();
        this.sameness = sameness;
        this.current = new ByteArrayInputStream(members(directory.extras()));
        this.left = -1;
        push("");
    }

    /// A tar of these files only.
    public static InputStream of(List<Extra> files) {
        byte[] members = members(files);
        return new ByteArrayInputStream(Arrays.copyOf(members, members.length + 2 * BLOCK));
    }

    private static byte[] members(List<Extra> files) {
        var members = new ByteArrayOutputStream();
        for (var file : files) {
            members.writeBytes(header(file.path, '0',
                    new FileEntry(file.path, FileEntry.Kind.FILE, 0644, file.content.length, 0, ""), "", NO_CAPABILITY));
            members.writeBytes(file.content);
            members.writeBytes(new byte[-file.content.length & (BLOCK - 1)]);
        }
        return members.toByteArray();
    }

    private void push(String directory) throws IOException {
        if (sameness.isPresent()) {
            sameness.get().directory(directory);
        }
        var place = directory.isEmpty() ? root : PathText.resolve(root, directory);
        var entries = new ArrayList<>(files.list(place));
        entries.sort((one, other) -> other.name().compareTo(one.name())); // a Comparator's own lambdas are in no AOT cache
        var sent = new ArrayList<String>();
        var out = new boolean[entries.size()];
        for (int i = 0; i < out.length; i++) {
            var entry = entries.get(i);
            out[i] = rules.out(path(directory, entry));
            if (entry.kind() == FileEntry.Kind.FILE && !out[i]) {
                sent.add(entry.name());
            }
        }
        var capabilities = sent.isEmpty() ? List.<byte[]>of() : files.capabilities(place, sent);
        int next = 0;
        for (int i = 0; i < out.length; i++) {
            var entry = entries.get(i);
            boolean has = entry.kind() == FileEntry.Kind.FILE && !out[i];
            waiting.push(new Waiting(path(directory, entry), entry, out[i], has ? capabilities.get(next++) : NO_CAPABILITY));
        }
    }

    private static String path(String directory, FileEntry entry) {
        return directory.isEmpty() ? entry.name() : directory + "/" + entry.name();
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        int done = 0;
        while (done < length) {
            int wanted = left < 0 ? length - done : (int) Math.min(length - done, left);
            int count = wanted == 0 ? -1 : current.read(buffer, offset + done, wanted);
            if (count > 0) {
                done += count;
                left -= left < 0 ? 0 : count;
            } else if (!advance()) {
                break;
            }
        }
        return done == 0 && length > 0 ? -1 : done;
    }

    private boolean advance() throws IOException {
        current.close();
        if (left > 0) {
            throw new IOException("a file of the context became shorter while it was sent");
        }
        if (left == 0) {
            left = -1;
            if (sameness.isPresent() && file.isPresent()) {
                sameness.get().file(file.get().path, file.get().entry.stamp());
            }
            current = new ByteArrayInputStream(new byte[padding]);
            return true;
        }
        while (!waiting.isEmpty()) {
            var next = waiting.pop();
            if (next(next)) {
                return true;
            }
        }
        if (ended) {
            return false;
        }
        ended = true;
        current = new ByteArrayInputStream(new byte[2 * BLOCK]);
        return true;
    }

    private boolean next(Waiting next) throws IOException {
        var entry = next.entry;
        boolean out = next.out;
        if (entry.kind() == FileEntry.Kind.DIRECTORY) {
            if (rules.opens(next.path, out)) {
                push(next.path);
            }
            if (out) {
                return false;
            }
        }
        if (out || entry.kind() == FileEntry.Kind.OTHER) {
            return false;
        }
        switch (entry.kind()) {
            case DIRECTORY -> current = header(next, '5', next.path + "/", "");
            case LINK -> current = header(next, '2', next.path, entry.target());
            case FILE, OTHER -> {
                var first = first(next);
                if (first.isPresent()) {
                    current = header(next, '1', next.path, first.get());
                } else {
                    content(next);
                }
            }
        }
        return true;
    }

    private void content(Waiting next) {
        var joined = new JoinedInput(header(next, '0', next.path, ""), files, PathText.resolve(root, next.path));
        current = joined;
        file = Optional.of(next);
        left = joined.headBytes() + next.entry.size();
        padding = (int) (-next.entry.size() & (BLOCK - 1));
    }

    /// The name under which the same file was sent, unchanged, if it was.
    private Optional<String> first(Waiting next) {
        var stamp = next.entry.stamp();
        return next.entry.linked() && stamp.present() && !rules.always().contains(next.path)
                ? Optional.ofNullable(names.putIfAbsent(stamp, next.path)) : Optional.empty();
    }

    private static ByteArrayInputStream header(Waiting of, char kind, String name, String target) {
        return new ByteArrayInputStream(header(name, kind, of.entry, target, of.capability));
    }

    private static byte[] header(String name, char kind, FileEntry entry, String target, byte[] capability) {
        long size = kind == '0' ? entry.size() : 0;
        byte[] nameBytes = TarText.encode(name);
        byte[] linkBytes = TarText.encode(target);
        var records = new ByteArrayOutputStream();
        if (nameBytes.length > 100) {
            record(records, "path", nameBytes);
        }
        if (linkBytes.length > 100) {
            record(records, "linkpath", linkBytes);
        }
        if (size > LARGEST_OCTAL) {
            record(records, "size", Long.toString(size).getBytes(StandardCharsets.US_ASCII));
        }
        if (capability.length > 0) {
            record(records, "SCHILY.xattr." + FileCapability.ATTRIBUTE, capability);
        }
        var out = new ByteArrayOutputStream();
        if (records.size() > 0) {
            out.writeBytes(block("pax".getBytes(StandardCharsets.US_ASCII), new byte[0], 'x', 0644,
                    new long[] {records.size(), 0}));
            out.writeBytes(records.toByteArray());
            out.writeBytes(new byte[-records.size() & (BLOCK - 1)]);
        }
        out.writeBytes(block(nameBytes, linkBytes, kind, entry.mode(),
                new long[] {Math.min(size, LARGEST_OCTAL), Math.clamp(entry.modifiedSeconds(), 0, LARGEST_OCTAL)}));
        return out.toByteArray();
    }

    private static void record(ByteArrayOutputStream out, String key, byte[] value) {
        int fixed = key.length() + value.length + 3;
        int length = fixed + Integer.toString(fixed).length();
        length = fixed + Integer.toString(length).length();
        out.writeBytes((length + " " + key + "=").getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(value);
        out.write('\n');
    }

    private static byte[] block(byte[] name, byte[] link, char kind, int mode, long[] numbers) {
        byte[] block = new byte[BLOCK];
        System.arraycopy(name, 0, block, 0, Math.min(100, name.length));
        octal(block, 100, 7, mode);
        octal(block, 108, 7, 0);
        octal(block, 116, 7, 0);
        octal(block, 124, 11, numbers[0]);
        octal(block, 136, 11, numbers[1]);
        block[156] = (byte) kind;
        System.arraycopy(link, 0, block, 157, Math.min(100, link.length));
        System.arraycopy("ustar\00000".getBytes(StandardCharsets.US_ASCII), 0, block, 257, 8);
        Arrays.fill(block, 148, 156, (byte) ' ');
        int sum = 0;
        for (byte b : block) {
            sum += b & 0xFF;
        }
        octal(block, 148, 6, sum);
        block[154] = 0;
        return block;
    }

    private static void octal(byte[] block, int at, int digits, long value) {
        long rest = value;
        for (int i = at + digits - 1; i >= at; i--) {
            block[i] = (byte) ('0' + (rest & 7));
            rest >>= 3;
        }
    }

    @Override
    public void close() throws IOException {
        current.close();
    }

    /// A header, then a file that is opened when its turn comes.
    private static final class JoinedInput extends InputStream {
        private final ByteArrayInputStream head;
        private final int headBytes;
        private final Files files;
        private final Path path;
        private InputStream body = InputStream.nullInputStream();
        private boolean opened;

        JoinedInput(ByteArrayInputStream head, Files files, Path path) {
            this.head = head;
            this.headBytes = head.available();
            this.files = files;
            this.path = path;
        }

        int headBytes() {
            return headBytes;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = head.read(buffer, offset, length);
            if (count > 0) {
                return count;
            }
            if (!opened) {
                body = files.read(path);
                opened = true;
            }
            return body.read(buffer, offset, length);
        }

        @Override
        public void close() throws IOException {
            body.close();
        }
    }
}
