package carafe.build.source;

import carafe.build.tree.ContextArchive;
import carafe.build.tree.Node;
import carafe.build.tree.Scratch;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.ContextListing;
import carafe.spec.build.FileCapability;
import carafe.spec.build.FileStamp;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A context of which our own client sends a listing: alone, to build from what is remembered, or behind its files, to be
/// remembered. What a client says of its files counts for the directory it says it of, and nowhere else.
final class ListedContext {

    private static final Node.Time NO_TIME = new Node.Time(0, 0);
    private static final byte[] NO_CAPABILITY = new byte[0];

    private ListedContext() {}

    /// Reads `body` to its end: a listing, or the tar in pieces (see [PieceStream]) and a listing of those of its files that
    /// did not change while they were sent.
    static ContextArchive read(BuildContexts.Listing listing, InputStream body, Scratch scratch, ContextMemory memory)
            throws IOException, EngineException {
        return listing.alone() ? alone(listing.directory(), body, scratch, memory)
                : behind(listing.directory(), body, scratch, memory);
    }

    private static ContextArchive alone(String directory, InputStream body, Scratch scratch, ContextMemory memory)
            throws IOException, EngineException {
        byte[] listing = bytes(body);
        var known = memory.recall(directory);
        var archive = ContextArchive.listed(scratch, known::digest);
        boolean whole = false;
        try {
            ContextListing.read(listing, new Listed(archive, known));
            archive.join();
            whole = true;
            return archive;
        } finally {
            if (!whole) {
                archive.close();
            }
        }
    }

    /// Puts what is listed into an archive; times, of which no result depends, stay at home.
    private record Listed(ContextArchive archive, ContextMemory.Recalled known) implements ContextListing.Visitor {

        @Override
        public void file(String path, int mode, long size, FileStamp stamp) throws EngineException.Invalid {
            int number = stamp.present() ? known.find(stamp) : -1;
            archive.addListed(new Node(path, Node.Type.FILE, Node.Owner.ROOT, mode, size, NO_TIME, "",
                    known.attributes(number)), number);
        }

        @Override
        public void shown(String path, int mode, byte[] content) throws IOException, EngineException {
            archive.add(path, mode, NO_TIME, new ByteArrayInputStream(content), content.length);
        }

        @Override
        public void folder(String path, int mode) throws EngineException.Invalid {
            archive.addListed(Node.directory(path, Node.Owner.ROOT, mode, NO_TIME), -1);
        }

        @Override
        public void link(String path, String target) throws EngineException.Invalid {
            archive.addListed(new Node(path, Node.Type.SYMLINK, Node.Owner.ROOT, 0777, 0, NO_TIME, target, Map.of()), -1);
        }
    }

    private static ContextArchive behind(String directory, InputStream body, Scratch scratch, ContextMemory memory)
            throws IOException, EngineException {
        ContextArchive archive;
        try (var tar = new PieceStream(body)) {
            archive = ContextArchive.read(tar, scratch);
        }
        boolean whole = false;
        try {
            byte[] listing = bytes(body);
            var learnt = new Learnt(archive, new ArrayList<>());
            ContextListing.read(listing, learnt);
            memory.learn(directory, learnt.files);
            whole = true;
            return archive;
        } finally {
            if (!whole) {
                archive.close();
            }
        }
    }

    /// Collects the digests of files that have a stamp.
    private record Learnt(ContextArchive archive, List<ContextMemory.Known> files) implements ContextListing.Visitor {

        @Override
        public void file(String path, int mode, long size, FileStamp stamp) {
            var digest = archive.digest(path);
            if (stamp.present() && digest.isPresent()) {
                capability(archive.attributes(path)).ifPresent(capability ->
                        files.add(new ContextMemory.Known(stamp, digest.get(), capability)));
            }
        }

        /// Empty where there is more than a capability, which is all that is remembered.
        private static Optional<byte[]> capability(Map<String, byte[]> attributes) {
            byte[] capability = attributes.getOrDefault(FileCapability.ATTRIBUTE, NO_CAPABILITY);
            boolean all = attributes.isEmpty() || attributes.size() == 1 && capability.length > 0
                    && capability.length <= ContextMemory.MOST_CAPABILITY_BYTES;
            return all ? Optional.of(capability) : Optional.empty();
        }

        @Override
        public void shown(String path, int mode, byte[] content) {
            // it came with the others
        }

        @Override
        public void folder(String path, int mode) {
            // has nothing to be remembered
        }

        @Override
        public void link(String path, String target) {
            // has nothing to be remembered
        }
    }

    private static byte[] bytes(InputStream body) throws IOException, EngineException.Invalid {
        byte[] bytes = body.readNBytes(ContextListing.MAX_BYTES + 1);
        if (bytes.length > ContextListing.MAX_BYTES) {
            throw new EngineException.Invalid("the context's listing is longer than " + ContextListing.MAX_BYTES + " bytes");
        }
        return bytes;
    }
}
