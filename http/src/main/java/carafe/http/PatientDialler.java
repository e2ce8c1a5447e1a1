package carafe.http;

import java.io.IOException;
import java.time.Duration;

/// Connects as another does, to wires that notice when they stall.
record PatientDialler(Dialler dialler, Duration stall) implements Dialler {

    @Override
    public String host() {
        return dialler.host();
    }

    @Override
    public String targetPrefix() {
        return dialler.targetPrefix();
    }

    @Override
    public String fields() {
        return dialler.fields();
    }

    @Override
    public Wire connect() throws IOException {
        return new PatientWire(dialler.connect(), stall);
    }
}
