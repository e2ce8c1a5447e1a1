package carafe.engine;

import carafe.image.Images;
import carafe.spec.EngineException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What `info` and `version` tell, from facts read at the start and from snapshots.
final class LocalHost implements Host {
    private final HostFacts facts;
    private final String engineId;
    private final Path dataRoot;
    private final Book book;
    private final Images images;
    private final Outlets outlets;

    LocalHost(HostFacts facts, String engineId, Path dataRoot, Book book, Images images, Outlets outlets) { // its world
        this.facts = facts;
        this.engineId = engineId;
        this.dataRoot = dataRoot;
        this.book = book;
        this.images = images;
        this.outlets = outlets;
    }

    @Override
    public Machine machine() {
        return facts.machine();
    }

    @Override
    public Counts counts() {
        int running = 0;
        int paused = 0;
        int all = 0;
        for (var container : book.all()) {
            all++;
            switch (container.state()) {
                case State.Running _, State.Restarting _ -> running++;
                case State.Paused _ -> paused++;
                case State.Created _, State.Exited _, State.Removing _ -> { }
            }
        }
        int known = 0;
        try {
            known = images.list().size();
        } catch (EngineException e) {
            known = -1; // info never fails because a part of the engine does
        }
        return new Counts(all, running, paused, all - running - paused, known);
    }

    @Override
    public String engineId() {
        return engineId;
    }

    @Override
    public Path dataRoot() {
        return dataRoot;
    }

    @Override
    public List<String> warnings() {
        var warnings = new ArrayList<>(facts.warnings());
        try {
            outlets.warnings().forEach(sentence -> warnings.add("WARNING: " + sentence));
        } catch (EngineException e) {
            warnings.add("WARNING: " + e.getMessage()); // info never fails because a part of the engine does
        }
        return warnings;
    }
}
