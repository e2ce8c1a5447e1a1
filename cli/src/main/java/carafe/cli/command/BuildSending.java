package carafe.cli.command;

import carafe.cli.build.BuildProgress;
import carafe.cli.build.ContextDirectory;
import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.util.Optional;

/// Sends what `build` asks for and the context, and shows what happens. Of a directory with many files a listing goes
/// first; the files only follow when the engine says that it wants them.
final class BuildSending {

    private static final String DOCUMENT_TYPE = "application/vnd.carafe.build";

    private final Call call;
    private final BuildProgress progress;

    BuildSending(Call call, BuildProgress progress) {
        this.call = call;
        this.progress = progress;
    }

    /// @return the last event, which says how it ended; an empty one if the engine broke off
    Json.Obj send(Json.Obj document, BuildFiles.Source source)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        if (source.directory().isEmpty()) {
            return exchange(document, new Told(source.content(), progress));
        }
        var directory = source.directory().get();
        boolean everything = call.flags().truth("no-cache") || !call.flags().list("no-cache-filter").isEmpty();
        if (!everything) {
            Optional<byte[]> listing = directory.listing(call.session().clock());
            if (listing.isEmpty()) {
                return exchange(document, new Told(directory.tar(), progress));
            }
            var last = exchange(listed(document, directory, true), new ByteArrayInputStream(listing.get()));
            if (!last.text("event").equals("context-wanted")) {
                return last;
            }
        }
        return exchange(listed(document, directory, false),
                new Told(directory.taughtTar(call.session().clock()), progress));
    }

    private static Json.Obj listed(Json.Obj document, ContextDirectory directory, boolean alone) throws IOException {
        return document.with("listing", Json.object().put("directory", directory.name()).put("alone", alone).build());
    }

    /// Tells how much of the context was read to be sent.
    private static final class Told extends FilterInputStream {
        private final BuildProgress progress;
        private long bytes;

        Told(InputStream context, BuildProgress progress) {
            super(context);
            this.progress = progress;
        }

        private int told(int count) {
            bytes += Math.max(0, count);
            progress.sent(bytes, count < 0);
            return count;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            return told(super.read(buffer, offset, length));
        }
    }

    private Json.Obj exchange(Json.Obj document, InputStream context)
            throws Failure, EngineError, EngineException.Invalid, IOException {
        byte[] words = document.printBytes();
        var head = ByteBuffer.allocate(4 + words.length).putInt(words.length).put(words).array();
        Json.Obj last = Json.object().build();
        try (context;
                var answer = call.engine().upload(Target.of("build"), DOCUMENT_TYPE,
                        new SequenceInputStream(new ByteArrayInputStream(head), context));
                var messages = Json.stream(answer.body())) {
            for (var message = messages.next(); message.isPresent(); message = messages.next()) {
                if (message.get() instanceof Json.Obj event) {
                    last = event;
                    progress.on(event);
                }
            }
        }
        return last;
    }
}
