"""YKC (云快充) V1.5 / V1.6: frames, messages, codes and power control."""
