"""Keys that the JSON of `analyze` has in each section (interface, schema version 1)."""

KEYS = {
    "dataset": "n_target n_source dim paired paired_cosine shuffled_cosine pairing_z pairing_t groups "
    "rows_dropped norm_target norm_source warnings",
    "gap": "centroid_distance sampling_floor sampling_floor_95 mean_norm_target mean_norm_source "
    "trace_target trace_source",
    "frame": "rank energy eigenvalues",
    "decomposition": "total_energy pmb_norm cob_norm u_residual_energy v_residual_energy energy_coverage",
    "shape": "kappa_u kappa_v kappa_eff_u kappa_eff_v rank_u rank_v bias_noise_angle bias_noise_angles "
    "bias_noise_shares bias_noise_null eigenvalues_u eigenvalues_v",
    "residual": "anisotropy effective_dimension_ratio ratio_energy ratio_distance mean_distance "
    "centred_distance eigenvalues",
    "shared": "spectral_correlation subspace_overlap subspace_overlap_baseline covariance_discrepancy "
    "effective_rank_target effective_rank_source alpha_target alpha_source kappa_target kappa_source",
    "isotropic": "kappa_u kappa_v kappa_eff_u kappa_eff_v anisotropy effective_dimension_ratio alpha",
    "drift": "anchor anchor_trace centroid_shift",
    "coupling": "spectral_norm explained_variance explained_variance_in_sample",
    "tool": "name version",
    "settings": "methods energy k split seed device c3_sigma bootstrap score_rows normalize max_rows paired",
}
