package carafe.cli.build;

import carafe.cli.session.Files;
import carafe.spec.build.FileStamp;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;

/// A context that lies in the directory `root` of the caller's, with `extras` that lie elsewhere.
public record ContextDirectory(Files files, Path root, ContextRules rules, List<ContextStream.Extra> extras) {

    public ContextDirectory {
        extras = List.copyOf(extras);
    }

    /// Its files as a tar, read while it is.
    public InputStream tar() throws IOException {
        return new ContextStream(this, Optional.empty());
    }

    /// The tar in pieces and, behind it, a listing of the files that were the same before and after they were read.
    public InputStream taughtTar(Clock clock) throws IOException {
        var sameness = new Sameness(files, root, clock);
        var tar = new Pieces(new ContextStream(this, Optional.of(sameness)));
        return new SequenceInputStream(new Enumeration<>() {
            private int given;

            @Override
            public boolean hasMoreElements() {
                return given < 2;
            }

            @Override
            public InputStream nextElement() { // the second one is asked for when the first is at its end
                return given++ == 0 ? tar : new ByteArrayInputStream(sameness.listing());
            }
        });
    }

    /// Its listing, if it is neither so small that sending it costs less, nor too much for one.
    public Optional<byte[]> listing(Clock clock) throws IOException {
        return new ContextLister(this, Sameness.latestNanos(clock)).list();
    }

    /// What the engine may remember it by: its path, and which directory that is.
    public String name() throws IOException {
        FileStamp stamp = files.stamp(root.resolve("."));
        return root + " " + stamp.device() + ":" + stamp.inode();
    }
}
