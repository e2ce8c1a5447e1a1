@NullMarked
package carafe.runtime;

import org.jspecify.annotations.NullMarked;
