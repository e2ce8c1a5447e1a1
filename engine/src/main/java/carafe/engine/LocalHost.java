package carafe.engine;

import carafe.engine.volume.VolumeBook;
import carafe.image.Images;
import carafe.network.Fabric;
import carafe.spec.EngineException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What `info` and `version` tell, from facts read at the start and from snapshots.
final class LocalHost implements Host {
    private final HostFacts facts;
    private final String engineId;
    private final Path dataRoot;
    private final Parts parts;

    /// What is told of, and checked.
    record Parts(Book book, Images images, VolumeBook volumes, Fabric fabric, Outlets outlets,
            DefaultBridge bridge) {}

    LocalHost(HostFacts facts, String engineId, Path dataRoot, Parts parts) {
        this.facts = facts;
        this.engineId = engineId;
        this.dataRoot = dataRoot;
        this.parts = parts;
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
        for (var container : parts.book.all()) {
            all++;
            switch (container.state()) {
                case State.Running _, State.Restarting _ -> running++;
                case State.Paused _ -> paused++;
                case State.Created _, State.Exited _, State.Removing _ -> { }
            }
        }
        int known = 0;
        try {
            known = parts.images.list().size();
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
        parts.bridge.trouble().ifPresent(sentence -> warnings.add("WARNING: " + sentence
                + "; containers that are to be in it do not start"));
        try {
            parts.outlets.warnings().forEach(sentence -> warnings.add("WARNING: " + sentence));
        } catch (EngineException e) {
            warnings.add("WARNING: " + e.getMessage()); // info never fails because a part of the engine does
        }
        return warnings;
    }

    @Override
    public List<HostFault> check(boolean repair, boolean takeVolumes) {
        var faults = new ArrayList<HostFault>();
        parts.volumes.fault().ifPresent(text -> faults.add(astray(text, takeVolumes)));
        for (var fault : parts.fabric.check(repair)) {
            faults.add(new HostFault("bridge", fault.link(), fault.text() + " (network " + fault.network() + ")",
                    fault.repaired()));
        }
        faults.addAll(parts.outlets.check(repair));
        return faults;
    }

    private HostFault astray(String fault, boolean take) {
        String name = dataRoot.resolve("volumes").toString();
        try {
            if (take) {
                parts.volumes.adopt();
            }
            return new HostFault("volumes", name, fault, take);
        } catch (EngineException e) {
            return new HostFault("volumes", name, fault + "; it could not be taken: " + e.getMessage(), false);
        }
    }
}
