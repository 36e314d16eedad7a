// A trusted operator of NATS for tests, with an account that has JetStream and a user in it: signed
// once, by keys that are bytes of one value each, and valid for ever.
#pragma once

#include <string>

namespace carillon::nats_operator {

inline const std::string kOperator =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJGUjRIWUpFTktaUVdHNUFZVUc0V"
    "VJBWlVER0FFVVBQV09SQUdVNEpCSTNJT0hRUk5NQjdBIiwiaWF0IjoxNzAwMDAwMDAwLCJpc3MiOiJPQ0ZJU"
    "lk2NU9RRTdERlA1S0xOUzJQRjJMVlpNVVpZSlg0T1pJRVEzNk4ySVFBTlVCNVhWWU9DUyIsIm5hbWUiOiJvc"
    "CIsInN1YiI6Ik9DRklSWTY1T1FFN0RGUDVLTE5TMlBGMkxWWk1VWllKWDRPWklFUTM2TjJJUUFOVUI1WFZZT"
    "0NTIiwibmF0cyI6eyJ0eXBlIjoib3BlcmF0b3IiLCJ2ZXJzaW9uIjoyfX0.sS3TReKYJCJ9kHAQZLu-4GSfe"
    "kC74nvY0JlakVCnZLX-w-W4afi3VXVD7xK7iKAYRSDY6ltjnpuOPChS-gamAw";
inline const std::string kAccount = "ACATS5YOVB6ROX2WUNKGNQ2MP3GMXDMKSG2O4N5CLX3A6W4PZGZZIL2R";
inline const std::string kAccountJwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJNVFE3S0VQRzRNM1VGVVBKWlBNN"
    "UpaQUNaRzJEVEE1RzNZUElNTE5PTFNXMjJMVlBBUVdBIiwiaWF0IjoxNzAwMDAwMDAwLCJpc3MiOiJPQ0ZJU"
    "lk2NU9RRTdERlA1S0xOUzJQRjJMVlpNVVpZSlg0T1pJRVEzNk4ySVFBTlVCNVhWWU9DUyIsIm5hbWUiOiJBI"
    "iwic3ViIjoiQUNBVFM1WU9WQjZST1gyV1VOS0dOUTJNUDNHTVhETUtTRzJPNE41Q0xYM0E2VzRQWkdaWklMM"
    "lIiLCJuYXRzIjp7ImxpbWl0cyI6eyJzdWJzIjotMSwiZGF0YSI6LTEsInBheWxvYWQiOi0xLCJpbXBvcnRzI"
    "jotMSwiZXhwb3J0cyI6LTEsIndpbGRjYXJkcyI6dHJ1ZSwiY29ubiI6LTEsImxlYWYiOi0xLCJtZW1fc3Rvc"
    "mFnZSI6LTEsImRpc2tfc3RvcmFnZSI6LTEsInN0cmVhbXMiOi0xLCJjb25zdW1lciI6LTF9LCJkZWZhdWx0X"
    "3Blcm1pc3Npb25zIjp7InB1YiI6e30sInN1YiI6e319LCJ0eXBlIjoiYWNjb3VudCIsInZlcnNpb24iOjJ9f"
    "Q.rdgUmllC0f8mNxm-ecx8tOoFpdSH32LEQXwJOFObpLOFedGo7xmRFjkzhzW3aaRwmuqaeOdqRsjvo2ncmL"
    "ToDA";
inline const std::string kSystem = "ADWUSKGGFDI4FRXK5EBTRECZSVQSSWJHHJOGH6JWG3AUMFFMQ435D6HD";
inline const std::string kSystemJwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJVTVRPQTY0NUFNRU1OR09MVFk2U"
    "EpFTVhRQVA1VVpCWTJQT04yNlpER1NMQllSWURIRVpBIiwiaWF0IjoxNzAwMDAwMDAwLCJpc3MiOiJPQ0ZJU"
    "lk2NU9RRTdERlA1S0xOUzJQRjJMVlpNVVpZSlg0T1pJRVEzNk4ySVFBTlVCNVhWWU9DUyIsIm5hbWUiOiJTW"
    "VMiLCJzdWIiOiJBRFdVU0tHR0ZESTRGUlhLNUVCVFJFQ1pTVlFTU1dKSEhKT0dINkpXRzNBVU1GRk1RNDM1R"
    "DZIRCIsIm5hdHMiOnsibGltaXRzIjp7InN1YnMiOi0xLCJkYXRhIjotMSwicGF5bG9hZCI6LTEsImltcG9yd"
    "HMiOi0xLCJleHBvcnRzIjotMSwid2lsZGNhcmRzIjp0cnVlLCJjb25uIjotMSwibGVhZiI6LTF9LCJkZWZhd"
    "Wx0X3Blcm1pc3Npb25zIjp7InB1YiI6e30sInN1YiI6e319LCJ0eXBlIjoiYWNjb3VudCIsInZlcnNpb24iO"
    "jJ9fQ.IyHtGbs4cr1DUuzDYDm-QrPfFEbE046Hv48yZjA09jgz0vfHhoOKSfHdWa-FXN6OGK47DqBa0tVU1w"
    "6rPvXxDg";
inline const std::string kUserJwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiI0SFpKQVBWV1Q2WU5KQlNZNVROT"
    "1JOSFdMVDVQUlNVWlpXVzZHRVJaSzJVM1lITkZBV1FBIiwiaWF0IjoxNzAwMDAwMDAwLCJpc3MiOiJBQ0FUU"
    "zVZT1ZCNlJPWDJXVU5LR05RMk1QM0dNWERNS1NHMk80TjVDTFgzQTZXNFBaR1paSUwyUiIsIm5hbWUiOiJ1I"
    "iwic3ViIjoiVURGSkhMQVhBVU1IQTRPV1BPQjRQN1lPNzJBUVIySE1JVVlGT1hMWEUyRFpHTTYzM0s3SFlSR"
    "VYiLCJuYXRzIjp7InB1YiI6e30sInN1YiI6e30sInN1YnMiOi0xLCJkYXRhIjotMSwicGF5bG9hZCI6LTEsI"
    "nR5cGUiOiJ1c2VyIiwidmVyc2lvbiI6Mn19.zEQeusMft9LVY99T9mFnsG8MfN-00AlGdRAREw3B_hS0Qets"
    "upRrysTU_KCrWLtSTX1AYiqJnHbTE6gu_ZZ8AQ";
inline const std::string kUserSeed = "SUAAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBH4FY";

/// What a server's configuration says of them.
inline std::string configuration() {
  return "operator: " + kOperator + "\nsystem_account: " + kSystem +
         "\nresolver: MEMORY\nresolver_preload: { " + kAccount + ": " + kAccountJwt + ", " +
         kSystem + ": " + kSystemJwt + " }\n";
}

/// What the credentials file of the user holds.
inline std::string credentials(const std::string& seed = kUserSeed) {
  return "-----BEGIN NATS USER JWT-----\n" + kUserJwt +
         "\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n" + seed +
         "\n------END USER NKEY SEED------\n";
}

}  // namespace carillon::nats_operator
